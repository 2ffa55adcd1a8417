/// A command of the config. A string runs in a shell; a list is executed without one.
public enum CommandForm: Sendable, Equatable {
    case shell(String)
    case exec([String])
}

extension CommandForm: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .shell(text)
        } else {
            self = .exec(try container.decode([String].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .shell(let text): try container.encode(text)
        case .exec(let words): try container.encode(words)
        }
    }
}
