/// `POST /v1/stop`
public struct StopRequest: Sendable, Codable, Equatable {
    public enum Mode: String, Sendable, Codable {
        /// The training gets time to save.
        case graceful
        /// As fast as on SIGTERM.
        case now
    }

    public var mode: Mode
    /// The end of the pod after the run; nil if the config decides.
    public var then: OnFinish?
    /// Time to save before the training is killed; nil if it is the usual minute.
    @Seconds public var grace: Duration?

    public init(mode: Mode, then: OnFinish? = nil, grace: Duration? = nil) {
        self.mode = mode
        self.then = then
        self.grace = grace
    }

    public static let graceful = StopRequest(mode: .graceful)
    public static let now = StopRequest(mode: .now)

    public static let usualGrace: Duration = .seconds(60)
    /// The allowed grace. `now` is for less; a user has forgotten a request that takes more.
    public static let graceRange: ClosedRange<Duration> = .seconds(1) ... .seconds(86_400)

    /// The reason why the agent refuses this request; nil if it does not.
    public var problem: Problem? {
        if case .keep = then {
            return Problem("a pod cannot be kept after its run", hint: #"ask for "stop" or "terminate""#)
        }
        guard let grace else { return nil }
        if mode == .now {
            return Problem("a stop that is \"now\" has no grace", hint: "leave out one of the two")
        }
        return Self.graceRange.contains(grace)
            ? nil : Problem("a grace of \(grace.inSeconds) s makes no sense", hint: "it is between 1 s and 24 h")
    }
}
