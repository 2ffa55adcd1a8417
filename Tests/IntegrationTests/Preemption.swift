import Glibc
import Shared
import TestSupport
import Testing

/// The ways in which a pod ends that nobody asked for.
enum Preemption: String, CaseIterable {
    /// As spot markets do it: SIGTERM, and SIGKILL 5 s later.
    case preempted = "SIGTERM, SIGKILL after 5 s"
    case powerCut = "SIGKILL of the whole tree"
    case serveKilled = "SIGKILL of serve"
    /// The container is stopped, and the same one starts again, the agent as its PID 1.
    case restarted = "container restart"

    var isGentle: Bool { self == .preempted || self == .restarted }
}

/// When a pod is taken away, counted from the checkpoint that its training resumed from.
struct PreemptionMoment {
    var steps: Int
    /// The training prints a step once in a while: so much later than that.
    var later: Duration
    /// Only the next time that it saves.
    var isInSave: Bool

    /// Up to one and a half epochs on, so that some attempts get no further than the one before. What is not gentle would tear a save.
    init(for preemption: Preemption, epoch: Int, using generator: inout SeededGenerator) {
        steps = Int.random(in: 0...epoch * 3 / 2, using: &generator)
        later = .milliseconds(Int.random(in: 0..<100, using: &generator))
        isInSave = preemption.isGentle && Bool.random(using: &generator)
        if isInSave { steps /= 2 }
    }
}

/// What one preemption cost.
struct PreemptionCost {
    var preemption: Preemption
    var began = ContinuousClock.now
    /// The last that the training had printed.
    var step = 0
    var wasInSave: Bool
    var savedOnSignal: Bool?
    /// Where the next attempt began.
    var resumedAt: Int?
    /// Until the training was at `step` again; nil where it was taken away before.
    var seconds: Double?

    var line: String {
        let saved = savedOnSignal.map { $0 ? ", saved on the signal" : ", not saved on the signal" } ?? ""
        let again = resumedAt.map { ", \(max(0, step - $0)) steps again from \($0)" } ?? ""
        let lost = seconds.map { ", \(Int($0 * 100).hundredths) s until it was there again" }
        return "\(preemption.rawValue) at step \(step)\(wasInSave ? ", in a save" : "")\(saved)\(again)"
            + (lost ?? ", not there again before the next")
    }
}

extension Int {
    /// 123 as `1.23`.
    fileprivate var hundredths: String { "\(self / 100).\(String(self % 100, width: 2))" }
}
