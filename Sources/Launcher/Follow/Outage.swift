/// How long an agent has not answered, and what a person is told of that: one line once they would begin to wonder, and one when
/// it is over.
struct Outage: Sendable {
    /// How long it is not spoken of.
    let patience: Duration
    private var began: ContinuousClock.Instant?
    private var isTold = false
    /// Requests in a row that brought nothing.
    private var tries = 0

    init(patience: Duration = .seconds(5)) { self.patience = patience }

    /// Returns what to say, if anything.
    mutating func failed(_ reason: String, at now: ContinuousClock.Instant = .now) -> String? {
        tries += 1
        let began = began ?? now
        self.began = began
        guard !isTold, began.duration(to: now) >= patience else { return nil }
        isTold = true
        return "the agent does not answer (\(reason)); still trying"
    }

    /// Returns what to say, if anything.
    mutating func answered() -> String? {
        defer { (began, isTold) = (nil, false) }
        return isTold ? "the agent answers again" : nil
    }

    mutating func broughtBytes() { tries = 0 }

    mutating func broughtNothing() { tries += 1 }

    /// How long to wait before the next request: longer from time to time.
    var pause: Duration { tries == 0 ? .zero : min(.milliseconds(20 << min(tries, 7)), .seconds(2)) }
}
