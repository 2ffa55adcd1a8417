internal import Shared

/// Whether a training that ended by its own fault is tried again on this pod, and when.
struct RetryRule: Sendable {
    let policy: RetryPolicy

    enum Verdict: Sendable, Equatable {
        case retry(after: Duration)
        case enough(String)

        var isRetry: Bool { if case .retry = self { true } else { false } }
    }

    /// The pause never gets longer, in seconds.
    static let longestPause = 600.0

    /// `attempts` are those of this launch in order, the one that has just ended last. `jitter` is from 0 to 1.
    func verdict(on attempts: [AttemptRecord], jitter: Double) -> Verdict {
        // One that only went on finishing, after its agent had died, has the outcome of the attempt before it.
        let tries = attempts.filter { $0.outcome?.kind.isFault != true || $0.began(.training) != nil }
        let failures = tries.reversed().prefix { $0.outcome?.kind.isFault == true }
        guard let last = failures.first else { return .enough("nothing failed") }
        if failures.count > 1, failures.prefix(2).allSatisfy({ $0.step == nil && !Self.madeProgress($0) }) {
            return .enough("it failed twice before the first step")
        }
        // An attempt that brought a newer checkpoint starts the count anew.
        let fruitless = failures.prefix { !Self.madeProgress($0) }.count
        if last.outcome?.kind == .outOfMemory && fruitless > 0 {
            return .enough("it ran out of memory without a new checkpoint")
        }
        if let crash = policy.crash, fruitless > crash {
            return .enough("it failed\(fruitless == 1 ? "" : " \(fruitless) times") without a new checkpoint")
        }
        let pause = min(policy.backoff * Self.doubled(max(0, fruitless - 1)), Self.longestPause)
        return .retry(after: .seconds(pause * (0.8 + 0.4 * jitter)))
    }

    private static func madeProgress(_ attempt: AttemptRecord) -> Bool {
        guard let newest = attempt.checkpoints?.newest?.step else { return false }
        return attempt.resumedFrom.map { newest > $0.step } ?? true
    }

    private static func doubled(_ times: Int) -> Double { Double(1 << min(times, 20)) }
}
