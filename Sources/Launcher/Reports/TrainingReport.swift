internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The progress of a run that trains, and what would be lost if it ended now. The JSON form is stable.
struct TrainingReport: Encodable {
    var step: Double?
    /// The step at which the training ends, if its output says it.
    var total: Double?
    var stepsPerSecond: Double?
    var secondsLeft: Double?
    var loss: Double?
    /// Seconds since the newest proven checkpoint was saved; nil without one.
    var provenAge: Double?
    /// The work that would be lost if the pod went away now: steps if they are known, and seconds.
    var stepsAtRisk: Double?
    var secondsAtRisk: Double?

    /// `proven` is the receipt of the newest proven checkpoint. Returns nil unless the attempt trains.
    init?(of attempt: AttemptRecord, proven: Receipt?, at now: Date) {
        guard attempt.state == .training, attempt.outcome == nil else { return nil }
        (step, total, loss) = (attempt.step, attempt.total, attempt.loss)
        stepsPerSecond = attempt.pace
        if let step, let total, let pace = attempt.pace, pace > 0, total >= step { secondsLeft = (total - step) / pace }
        let saved = proven.map { Date(timeIntervalSince1970: Double($0.saved ?? $0.modified) / 1e9) }
        provenAge = saved.map { max(0, now.timeIntervalSince($0)) }
        let began = attempt.began(.training)
        // An attempt that resumed has the older checkpoint's steps behind it, not its own time.
        secondsAtRisk = [saved, began].compactMap { $0 }.max().map { max(0, now.timeIntervalSince($0)) }
        if let step {
            let reached = proven.map { $0.stepAtSave ?? $0.step.map(Double.init) } ?? 0
            stepsAtRisk = reached.flatMap { step >= $0 ? step - $0 : nil }
        }
    }

    /// The rows of the table of `launch status`.
    var rows: [(name: String, value: String)] {
        var rows: [(name: String, value: String)] = []
        if let step {
            rows.append(("step", Format.number(step) + (total.map { " of \(Format.number($0))" } ?? "")))
        }
        if let stepsPerSecond, stepsPerSecond > 0 {
            let left = secondsLeft.map { ", \(Format.clock($0)) left" } ?? ""
            rows.append(("pace", Self.pace(stepsPerSecond) + left))
        }
        if let loss { rows.append(("loss", Self.short(loss))) }
        if let secondsAtRisk {
            let steps = stepsAtRisk.map { "\(Format.number($0)) steps, " } ?? ""
            rows.append(("at risk", steps + Format.clock(secondsAtRisk)))
        }
        return rows
    }

    private static func pace(_ stepsPerSecond: Double) -> String {
        stepsPerSecond >= 1 ? "\(short(stepsPerSecond)) steps/s" : "\(short(1 / stepsPerSecond)) s/step"
    }

    /// Four significant digits.
    private static func short(_ number: Double) -> String {
        guard number != 0, abs(number) >= 1e-3, abs(number) < 1e6 else { return "\(number)" }
        var scale = 1.0
        while abs(number) * scale < 1000 { scale *= 10 }
        return Format.number((number * scale).rounded() / scale)
    }
}
