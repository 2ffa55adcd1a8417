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
