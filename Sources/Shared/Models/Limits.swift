/// The limits of a run. nil is without a limit.
public struct Limits: Sendable, Codable, Equatable {
    /// From the agent's start to the training's.
    @Seconds public var setup: Duration = .seconds(30 * 60)
    /// The time of all attempts of the run together.
    @Seconds public var duration: Duration? = nil
    /// The cost of all attempts of the run together.
    public var cost: Money?
    public var stall = Stall.none

    public init() {}

    /// The longest time in which a training may report no new step.
    public enum Stall: Sendable, Equatable {
        case none
        /// Computed from the pace that the training has shown.
        case auto
        case after(Duration)
    }
}

extension Limits.Stall: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        switch try? container.decode(String.self) {
        case "none": self = .none
        case "auto": self = .auto
        default: self = .after(try container.decode(Seconds<Duration>.self).wrappedValue)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .none: try container.encode("none")
        case .auto: try container.encode("auto")
        case .after(let time): try container.encode(Seconds(wrappedValue: time))
        }
    }
}
