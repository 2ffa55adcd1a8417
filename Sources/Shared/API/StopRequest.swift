/// `POST /v1/stop`
public struct StopRequest: Sendable, Codable, Equatable {
    public enum Mode: String, Sendable, Codable {
        /// The training gets time to save.
        case graceful
        /// As fast as on SIGTERM.
        case now
    }

    /// The end of the pod after the run.
    public enum Then: String, Sendable, Codable {
        case stop
        /// It is deleted if nothing is lost with it, else stopped.
        case terminate
        /// It stays as it is, and still costs money.
        case keep

        /// nil if a pod has no such rule.
        public var rule: OnFinish? {
            switch self {
            case .stop: .stop
            case .terminate: .terminate
            case .keep: nil
            }
        }
    }

    public var mode: Mode
    /// nil: as the config says.
    public var then: Then?
    /// Time to save before the training is killed, in seconds. nil: a minute.
    public var grace: Double?

    public init(mode: Mode, then: Then? = nil, grace: Double? = nil) {
        self.mode = mode
        self.then = then
        self.grace = grace
    }

    public static let graceful = StopRequest(mode: .graceful)
    public static let now = StopRequest(mode: .now)

    /// Seconds.
    public static let usualGrace = 60.0
    /// Allowed grace, in seconds. Below it use `now`; above it nobody remembers having asked.
    public static let graceRange = 1.0...86_400

    /// Why the agent refuses this request; nil if it does not.
    public var problem: Problem? {
        if then == .keep {
            return Problem("a pod cannot be kept after its run", hint: #"ask for "stop" or "terminate""#)
        }
        guard let grace else { return nil }
        if mode == .now {
            return Problem("a stop that is \"now\" has no grace", hint: "leave out one of the two")
        }
        return Self.graceRange.contains(grace)
            ? nil : Problem("a grace of \(grace) s makes no sense", hint: "it is between 1 s and 24 h")
    }
}
