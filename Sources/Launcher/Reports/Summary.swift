internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The closing words about a run that has ended.
struct Summary: Sendable {
    private let run: RunView
    private let attempts: [AttemptRecord]
    /// US dollars for the latest launch, and for the whole run.
    private let cost: (launch: Double?, run: Double?)

    init(of run: RunView) throws {
        self.run = run
        attempts = try run.attempts()
        let launch = run.claims.last?.launch
        cost = (
            try run.folder.spending(of: run.claims.filter { $0.launch == launch }).cost,
            try run.folder.spending(of: run.claims).cost
        )
    }

    var text: String {
        var rows = [(name: "duration", value: duration), ("attempts", attemptsOfLaunch)]
        if let cost = costText { rows.append(("cost", cost)) }
        if let found = run.latest?.checkpoints { rows.append(("checkpoints", Self.checkpoints(found))) }
        if let saves = SavesOnSignal(of: attempts) { rows.append(("save on signal", saves.text)) }
        rows.append(("work tree", run.original.work))
        rows.append(("log", run.original.logs))
        if run.state == .lost || run.state == .ended(.interrupted) {
            rows.append(("resume", "launch run, with the same config"))
        }
        let lines = ["", "== \(run.id): \(verdict)"] + Table(rows).lines.map { "  " + $0 }
        return lines.map { $0 + "\n" }.joined()
    }

    private var verdict: String {
        if run.state == .unknown { return "unknown; its agent cannot be seen from here, and its heartbeat has stopped" }
        if run.wasTakenAway { return "interrupted; the provider took the pod away" }
        guard let latest = run.latest, latest.state == .ended, let outcome = latest.outcome else {
            return "lost; the pod is gone and left no record of its end"
        }
        return outcome.words + (outcome.message.map { ": \($0)" } ?? "")
    }

    /// The attempts of the latest launch. Earlier launches had a summary of their own.
    private var latestLaunch: ArraySlice<AttemptRecord> {
        attempts[(attempts.lastIndex { $0.launch != run.latest?.launch }.map { $0 + 1 } ?? 0)...]
    }

    private var duration: String {
        guard let start = latestLaunch.first?.phases.first?.began, let end = run.latest?.phases.last?.began else {
            return "unknown"
        }
        let training = latestLaunch.reduce(0.0) { sum, attempt in
            guard let began = attempt.began(.training) else { return sum }
            return sum + (attempt.phases.last?.began.timeIntervalSince(began) ?? 0)
        }
        return "\(Format.clock(end.timeIntervalSince(start))), of it \(Format.clock(training)) of training"
    }

    private var costText: String? {
        guard let run = cost.run else { return nil }
        guard let launch = cost.launch, launch != run else { return Dollars.text(run) }
        return "\(Dollars.text(launch)) of this launch, \(Dollars.text(run)) in all"
    }

    private var attemptsOfLaunch: String {
        attempts.count == latestLaunch.count
            ? "\(attempts.count)" : "\(latestLaunch.count) of this launch, \(attempts.count) in all"
    }

    private static func checkpoints(_ found: CheckpointCount) -> String {
        guard let newest = found.newest else { return "none" }
        return "\(found.count), the newest \(newest.step.map { "of step \($0): " } ?? "")\(newest.path)"
    }
}
