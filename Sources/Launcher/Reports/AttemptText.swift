internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// An attempt in words: how it ended, and why.
struct AttemptText: Sendable {
    let attempt: AttemptRecord

    /// One line.
    var line: String {
        var words = "attempt \(attempt.number): \(ending)"
        if let seconds = attempt.seconds { words += ", after \(Format.clock(seconds))" }
        if let step = attempt.step { words += ", at step \(Format.number(step))" }
        return words
    }

    /// Everything known about a bad end.
    var lines: [String] {
        var lines = [line]
        if let message = attempt.outcome?.message { lines.append("  reason: \(message)") }
        lines.append("  phases: \(phases)")
        if let resumed = attempt.resumedFrom { lines.append("  resumed from \(resumed.words)") }
        if let newest = attempt.checkpoints?.newest {
            let lost = attempt.death?.lostSteps.map { ", \(Format.number($0)) steps lost" } ?? ""
            lines.append("  newest checkpoint: \(newest.words)\(lost)")
        }
        guard let death = attempt.death else { return lines }
        if let seconds = death.secondsAfterSignal {
            let saved = death.savedOnSignal.map { $0 ? ", and saved" : ", and did not save" } ?? ""
            lines.append("  ended \(Format.clock(seconds)) after the request\(saved)")
        }
        if let teardown = death.teardown { lines += Self.steps(of: teardown).map { "    \($0)" } }
        if let kills = death.outOfMemoryKills, kills > 0 { lines.append("  killed for lack of memory: \(kills)") }
        lines += death.disks.map { "  disk \($0.path): \(Format.size($0.free)) free of \(Format.size($0.size))" }
        if let stall = death.stall { lines += ["  during the stall:"] + stall.map { "    \($0)" } }
        if !death.lines.isEmpty { lines += ["  last lines:"] + death.lines.map { "    \($0)" } }
        return lines
    }

    private var ending: String {
        guard let outcome = attempt.outcome else { return attempt.state.rawValue }
        return outcome.words
    }

    /// The signals and stages of a teardown, in order of time.
    private static func steps(of teardown: TeardownReport) -> [String] {
        var steps: [(time: Double, what: String)] = teardown.signals.map { signal in
            let target = signal.target == .training ? "the training" : "all of it"
            let count = signal.processes == 1 ? "1 process" : "\(signal.processes) processes"
            return (signal.after, "\(name(ofSignal: signal.number)) to \(target), \(count)")
        }
        steps.append((teardown.startedAfter, "taken on"))
        if let marked = teardown.recordedAfter { steps.append((marked, "on record")) }
        if let gone = teardown.goneAfter { steps.append((gone, "all gone")) }
        return Table(steps.sorted { $0.time < $1.time }.map { (Format.clock($0.time), $0.what) }).lines
    }

    private static func name(ofSignal number: Int32) -> String {
        // These numbers are the same on every system, signal(7).
        [6: "SIGABRT", 9: "SIGKILL", 15: "SIGTERM"][number] ?? "signal \(number)"
    }

    private var phases: String {
        zip(attempt.phases, attempt.phases.dropFirst()).map { phase, next in
            "\(phase.state.rawValue) \(Format.clock(next.began.timeIntervalSince(phase.began)))"
        }.joined(separator: ", ")
    }
}
