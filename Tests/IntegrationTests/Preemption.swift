import Glibc
import Shared
import TestSupport
import Testing

/// The ways in which a pod is taken away.
enum Preemption: String, CaseIterable {
    /// SIGTERM and SIGKILL 5 s later, as on spot markets.
    case preempted = "SIGTERM, SIGKILL after 5 s"
    case powerCut = "SIGKILL of the whole tree"
    case serveKilled = "SIGKILL of serve"
    /// The container is stopped and started again, with the agent as its PID 1.
    case restarted = "container restart"

    /// Whether the pod gets a SIGTERM first.
    var isGentle: Bool { self == .preempted || self == .restarted }
}

/// The moment at which a pod is taken away.
struct PreemptionMoment {
    /// Steps after the checkpoint from which its training resumed.
    var steps: Int
    /// Time after the training has printed that step, or a later one.
    var later: Duration
    /// Whether the pod is taken away only in the next save.
    var isInSave: Bool

    /// Draws a moment in the next one and a half epochs, so that some attempts save nothing new.
    ///
    /// Only a gentle preemption comes in a save: SIGKILL would tear it.
    init(for preemption: Preemption, epoch: Int, using generator: inout SeededGenerator) {
        steps = Int.random(in: 0...epoch * 3 / 2, using: &generator)
        later = .milliseconds(Int.random(in: 0..<100, using: &generator))
        isInSave = preemption.isGentle && Bool.random(using: &generator)
        if isInSave { steps /= 2 }
    }
}

/// The cost of one preemption.
struct PreemptionCost {
    var preemption: Preemption
    var began = ContinuousClock.now
    /// The last step that the training had printed.
    var step = 0
    var wasInSave: Bool
    var savedOnSignal: Bool?
    /// The step at which the next attempt began.
    var resumedAt: Int?
    /// Seconds until the training was at `step` again; nil if its pod was taken away before.
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
