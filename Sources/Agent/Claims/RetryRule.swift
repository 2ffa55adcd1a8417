internal import Shared

/// Decides whether a training that failed is tried again on this pod, and when.
struct RetryRule: Sendable {
    let policy: RetryPolicy

    enum Verdict: Sendable, Equatable {
        case retry(after: Duration)
        case enough(String)

        var isRetry: Bool { if case .retry = self { true } else { false } }
    }

    /// The pause doubles up to this limit, in seconds, without jitter.
    static let maxPause = 600.0

    /// `attempts` are all attempts of this launch in order; the last one has just ended. `jitter` is from 0 to 1.
    func verdict(on attempts: [AttemptRecord], jitter: Double) -> Verdict {
        let all = Self.failures(at: attempts)
        guard let last = all.first, last.outcome?.kind.isFault == true else { return .enough("nothing failed") }
        // An unproven checkpoint that could not be loaded gives way to another one, or to a fresh start.
        let failures = all.filter { !$0.givesWay }
        if last.givesWay { return .retry(after: .seconds(policy.backoff.inSeconds * (0.8 + 0.4 * jitter))) }
        if failures.count > 1, failures.prefix(2).allSatisfy(\.failedEarly) {
            return .enough("it failed twice before the first step")
        }
        let fruitless = Self.fruitless(failures)
        if last.outcome?.kind == .outOfMemory && fruitless > 0 {
            return .enough("it ran out of memory without a new checkpoint")
        }
        if let crash = policy.crash, fruitless > crash {
            return .enough("it failed\(fruitless == 1 ? "" : " \(fruitless) times") without a new checkpoint")
        }
        let pause = min(policy.backoff.inSeconds * Self.doubled(max(0, fruitless - 1)), Self.maxPause)
        return .retry(after: .seconds(pause * (0.8 + 0.4 * jitter)))
    }

    /// Returns why no attempt follows one whose agent died, or nil if one does. `attempts` are those of this launch in
    /// order.
    func reasonToStop(afterCrash attempts: [AttemptRecord]) -> String? {
        let failures = Self.failures(at: attempts)
        guard failures.first?.outcome?.kind == .agentCrash else { return nil }
        // Some crashes are allowed whatever the policy, because a host may lose its power; but not without end.
        let maxCrashes = min(max(policy.crash ?? .max, 2), 10)
        let fruitless = Self.fruitless(failures)
        guard fruitless > maxCrashes else { return nil }
        return "the agent died, or the training failed, \(fruitless) times without a new checkpoint"
    }

    /// Returns the unbroken series of failed attempts at the end of `attempts`, the last one first.
    private static func failures(at attempts: [AttemptRecord]) -> ArraySlice<AttemptRecord> {
        // An attempt that only finished another one, or waited for its retry, repeats that one's outcome and does not
        // count.
        let tries = attempts.filter { $0.outcome?.kind.isFault != true || $0.began(.training) != nil }
        return Array(tries.reversed()).prefix { $0.outcome?.kind.isFault == true || $0.outcome?.kind == .agentCrash }
    }

    /// Returns how many of the last failures brought no newer proven checkpoint. One that did starts the count anew.
    private static func fruitless(_ failures: some Sequence<AttemptRecord>) -> Int {
        failures.prefix { !$0.madeProgress }.reduce(0) { count, _ in count + 1 }
    }

    private static func doubled(_ times: Int) -> Double { Double(1 << min(times, 20)) }
}
