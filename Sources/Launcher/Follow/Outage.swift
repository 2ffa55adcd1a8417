/// Counts the time without an answer of the agent. The user gets one line after `timeout`, and one line when it is
/// over.
struct Outage: Sendable {
    /// A shorter silence is not mentioned.
    let timeout: Duration
    private var began: ContinuousClock.Instant?
    private var isReported = false
    /// Requests in a row without a byte.
    private var tries = 0

    init(timeout: Duration = .seconds(5)) { self.timeout = timeout }

    /// Notes a failed request. Returns a line for the user; nil if there is nothing to say.
    mutating func failed(_ reason: String, at now: ContinuousClock.Instant = .now) -> String? {
        tries += 1
        let began = began ?? now
        self.began = began
        guard !isReported, began.duration(to: now) >= timeout else { return nil }
        isReported = true
        return "the agent does not answer (\(reason)); still trying"
    }

    /// Notes an answer. Returns a line for the user; nil if there is nothing to say.
    mutating func answered() -> String? {
        defer { (began, isReported) = (nil, false) }
        return isReported ? "the agent answers again" : nil
    }

    mutating func broughtBytes() { tries = 0 }

    mutating func broughtNothing() { tries += 1 }

    /// Pause before the next request. It doubles with each request that brings no byte.
    var pause: Duration { tries == 0 ? .zero : min(.milliseconds(20 << min(tries, 7)), .seconds(2)) }
}
