/// The agent's API, declared once for the server and the client.
public enum Endpoint {
    public static let health = "/v1/health"
    public static let status = "/v1/status"
    public static let log = "/v1/log"
    public static let events = "/v1/events"
    public static let checkpoints = "/v1/checkpoints"
    public static let stop = "/v1/stop"
}

/// Header names beyond those of HTTP itself.
public enum APIHeader {
    /// Another way to present the token, for proxies that keep `Authorization` to themselves.
    public static let token = "X-Pod-Agent-Token"
    /// Offset of the first byte of a response that is no range; with 409 and 410, where to go on.
    public static let logOffset = "X-Log-Offset"
    /// Names the attempt whose bytes are being appended.
    public static let logStream = "X-Log-Stream"
    /// Every byte before this offset is on stable storage.
    public static let logDurable = "X-Log-Durable"
    /// Why the log is not on the volume as it should be. Only there while it is not.
    public static let logTrouble = "X-Log-Trouble"
}

/// `GET /v1/health`
public struct HealthReport: Sendable, Codable, Equatable {
    public var ready: Bool
    public var version: String

    public init(ready: Bool, version: String) {
        self.ready = ready
        self.version = version
    }
}

/// `GET /v1/status`
public struct StatusReport: Sendable, Codable, Equatable {
    public var version: String
    public var attempt: AttemptRecord
    /// Offset after the last byte of the log.
    public var logEnd: Int
    public var logDurable: Int
    /// Why the log is not on the volume as it should be.
    public var logTrouble: String?

    public init(version: String, attempt: AttemptRecord, logEnd: Int, logDurable: Int, logTrouble: String? = nil) {
        self.version = version
        self.attempt = attempt
        self.logEnd = logEnd
        self.logDurable = logDurable
        self.logTrouble = logTrouble
    }
}

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
