/// Watches the heartbeat of an agent that cannot be seen from here, on this machine's own clock.
struct HeartbeatWatch: Sendable {
    /// A heartbeat that has not changed for so long proves nothing. A live agent changes it every 5 s.
    static let usualTimeout: Duration = .seconds(12)
    /// After a longer gap between two observations this machine may have slept, so the time counts anew.
    private static let longestGap: Duration = .seconds(5)

    let timeout: Duration
    private var attempt: Int?
    private var beat: [UInt8]?
    private var since: ContinuousClock.Instant?
    private var last: ContinuousClock.Instant?
    private var hasChanged = false

    init(timeout: Duration = usualTimeout) { self.timeout = timeout }

    /// Takes the heartbeat of `attempt` as it is now; nil if there is none.
    mutating func observe(_ beat: [UInt8]?, of attempt: Int, at now: ContinuousClock.Instant = .now) {
        if self.attempt != nil, attempt != self.attempt || beat != self.beat {
            hasChanged = true
            since = now
        } else if since == nil || (last ?? now).duration(to: now) > Self.longestGap {
            since = now
        }
        (self.attempt, self.beat, last) = (attempt, beat, now)
    }

    enum Verdict {
        case alive
        case unknown
    }

    /// nil while the observation has to continue.
    var verdict: Verdict? {
        guard let since, let last else { return nil }
        if since.duration(to: last) >= timeout { return .unknown }
        return hasChanged ? .alive : nil
    }
}
