/// The rule for a training when its volume is full.
public enum DiskFull: Sendable, Equatable {
    case stop
    /// The training waits for space. It is stopped after this time.
    case pause(Duration)
}

/// `"stop"` or `{"pause": SECONDS}`.
extension DiskFull: Codable {
    private static let (stopWord, pauseWord) = ("stop", "pause")

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let word = try? container.decode(String.self), word == Self.stopWord {
            self = .stop
        } else if case let times = try container.decode([String: Seconds<Duration>].self), times.count == 1,
            let time = times[Self.pauseWord]
        {
            self = .pause(time.wrappedValue)
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a rule for a full disk")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .stop: try container.encode(Self.stopWord)
        case .pause(let time): try container.encode([Self.pauseWord: Seconds(wrappedValue: time)])
        }
    }
}
