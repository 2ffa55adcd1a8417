/// `POST /v1/stop`
public struct StopRequest: Sendable, Codable, Equatable {
    public enum Mode: String, Sendable, Codable {
        /// The training gets time to save.
        case graceful
        /// As fast as on SIGTERM.
        case now
    }

    /// What becomes of the pod then.
    public enum Then: String, Sendable, Codable {
        case stop
        /// Deleted, where nothing is lost with it; else stopped.
        case terminate
        /// It stays as it is, and costs on.
        case keep

        /// nil where there is no such rule for a pod.
        public var rule: OnFinish? {
            switch self {
            case .stop: .stop
            case .terminate: .terminate
            case .keep: nil
            }
        }
    }

    public var mode: Mode
    /// nil: what the config says.
    public var then: Then?
    /// How long a graceful stop lets the training save before it insists, in seconds. nil: a minute.
    public var patience: Double?

    public init(mode: Mode, then: Then? = nil, patience: Double? = nil) {
        self.mode = mode
        self.then = then
        self.patience = patience
    }

    public static let graceful = StopRequest(mode: .graceful)
    public static let now = StopRequest(mode: .now)

    /// In seconds.
    public static let usualPatience = 60.0
    /// Less is `now`; of more nobody knows any more that he asked. In seconds.
    public static let patienceRange = 1.0...86_400

    /// Why this is not to be done; nil where it is.
    public var problem: Problem? {
        if then == .keep {
            return Problem("a pod cannot be kept after its run", hint: #"ask for "stop" or "terminate""#)
        }
        guard let patience else { return nil }
        if mode == .now {
            return Problem("a stop that is \"now\" has no patience", hint: "ask for a \"graceful\" one")
        }
        return Self.patienceRange.contains(patience)
            ? nil : Problem("a patience of \(patience) s makes no sense", hint: "it is from 1 s to 24 h")
    }
}
