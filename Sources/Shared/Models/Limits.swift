/// What a run may use up. Times are in seconds; nil is without end.
public struct Limits: Sendable, Codable, Equatable {
    /// From the agent's start to the training's.
    public var setup: Double?
    /// Over all attempts of the run.
    public var duration: Double?
    /// Over all attempts of the run, in US dollars.
    public var cost: Double?
    public var stall: Stall

    /// How long a training may tell of no new step.
    public enum Stall: Sendable, Equatable {
        case none
        /// By the pace that the training has shown.
        case auto
        case after(seconds: Double)
    }

    public init(setup: Double? = 1800, duration: Double? = nil, cost: Double? = nil, stall: Stall = .none) {
        self.setup = setup
        self.duration = duration
        self.cost = cost
        self.stall = stall
    }
}

extension Limits.Stall: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let seconds = try? container.decode(Double.self) {
            self = .after(seconds: seconds)
        } else {
            self = try container.decode(String.self) == "auto" ? .auto : .none
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encode("none")
        case .auto: try container.encode("auto")
        case .after(let seconds): try container.encode(seconds)
        }
    }
}

/// When a training that failed is tried again on the same pod.
public struct RetryPolicy: Sendable, Codable, Equatable {
    /// Tries after a failure without progress; nil: without end.
    public var crash: Int?
    /// The pause before the first of them, in seconds. It doubles from one to the next.
    public var backoff: Double

    public init(crash: Int? = 2, backoff: Double = 10) {
        self.crash = crash
        self.backoff = backoff
    }
}

/// How much of a run's log is in one file, and how much of it is kept. In bytes.
public struct LogRule: Sendable, Codable, Equatable {
    /// After about so much, at the end of a line where one is near, the next segment begins.
    public var segment: Int
    /// Compressed segments together; the oldest go first.
    public var keep: Int

    public init(segment: Int = 8 << 20, keep: Int = 4 << 30) {
        self.segment = segment
        self.keep = keep
    }
}
