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
        let failures = Self.failures(at: attempts)
        guard let last = failures.first, last.outcome?.kind.isFault == true else { return .enough("nothing failed") }
        if failures.count > 1, failures.prefix(2).allSatisfy(Self.failedEarly) {
            return .enough("it failed twice before the first step")
        }
        let fruitless = Self.fruitless(failures)
        if last.outcome?.kind == .outOfMemory && fruitless > 0 {
            return .enough("it ran out of memory without a new checkpoint")
        }
        if let crash = policy.crash, fruitless > crash {
            return .enough("it failed\(fruitless == 1 ? "" : " \(fruitless) times") without a new checkpoint")
        }
        let pause = min(policy.backoff * Self.doubled(max(0, fruitless - 1)), Self.longestPause)
        return .retry(after: .seconds(pause * (0.8 + 0.4 * jitter)))
    }

    /// Why there is no other attempt after one whose agent died; nil where there is one. `attempts` as above.
    func reasonToStop(afterCrash attempts: [AttemptRecord]) -> String? {
        let failures = Self.failures(at: attempts)
        guard failures.first?.outcome?.kind == .agentCrash else { return nil }
        // A host that loses its power is nobody's fault, so that some are forgiven whatever the policy is; but not for ever.
        let most = min(max(policy.crash ?? .max, 2), 10)
        let fruitless = Self.fruitless(failures)
        guard fruitless > most else { return nil }
        return "the agent died, or the training failed, \(fruitless) times without a new checkpoint"
    }

    /// The last attempts that ended badly, the last one first.
    private static func failures(at attempts: [AttemptRecord]) -> ArraySlice<AttemptRecord> {
        // One that only went on with the end of another, or with its pause, has the outcome of the attempt before it.
        let tries = attempts.filter { $0.outcome?.kind.isFault != true || $0.began(.training) != nil }
        return Array(tries.reversed()).prefix { $0.outcome?.kind.isFault == true || $0.outcome?.kind == .agentCrash }
    }

    /// An attempt that brought a newer proven checkpoint starts the count anew. One that is not whole leads nowhere.
    private static func fruitless(_ failures: ArraySlice<AttemptRecord>) -> Int {
        failures.prefix { !madeProgress($0) }.count
    }

    private static func failedEarly(_ attempt: AttemptRecord) -> Bool {
        attempt.outcome?.kind.isFault == true && attempt.step == nil && !madeProgress(attempt)
    }

    private static func madeProgress(_ attempt: AttemptRecord) -> Bool {
        guard attempt.began(.training) != nil, let proven = attempt.checkpoints?.proven else { return false }
        return attempt.resumedFrom.map(proven.isNewer) ?? true
    }

    private static func doubled(_ times: Int) -> Double { Double(1 << min(times, 20)) }
}
