internal import Shared

/// A limit over all attempts of the run, as far as this attempt may still use it.
struct RunLimit: Sendable {
    /// Seconds from now until the limit is used up; 0 or less if it is already.
    var remaining: Double
    /// The reason for the end, for the record.
    var reason: String

    /// Returns the limits of `attempt`, and says in the log if one has no effect.
    static func all(of attempt: OpenAttempt) -> [RunLimit] {
        [duration(of: attempt), cost(of: attempt)].compactMap { $0 }
    }

    private static func duration(of attempt: OpenAttempt) -> RunLimit? {
        attempt.spec.limits.duration.map { limit in
            RunLimit(
                remaining: limit.inSeconds - attempt.spentBefore.seconds,
                reason: "all attempts together took limits.duration, \(Int(limit.inSeconds)) s")
        }
    }

    private static func cost(of attempt: OpenAttempt) -> RunLimit? {
        guard let limit = attempt.spec.limits.cost?.dollars else { return nil }
        guard let bill = attempt.journal.current.bill, bill.price > 0 else {
            attempt.log.say(.costUnlimited)
            return nil
        }
        let left = limit - (attempt.spentBefore.cost ?? 0)
        let seconds = left / bill.price * 3600 - bill.billedBefore - attempt.seconds
        // A tiny price leaves more seconds than a clock can count.
        return RunLimit(
            remaining: min(1e9, seconds), reason: "all attempts together cost limits.cost, \(Dollars.text(limit))")
    }
}
