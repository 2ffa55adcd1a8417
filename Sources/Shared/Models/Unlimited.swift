/// A number without a limit if it is nil: JSON then has the word `unlimited`, as the config does.
@propertyWrapper
public struct Unlimited: Sendable, Equatable {
    public var wrappedValue: Int?

    public init(wrappedValue: Int?) { self.wrappedValue = wrappedValue }
}

extension Unlimited: Codable {
    private static let word = "unlimited"

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if case Self.word? = try? container.decode(String.self) {
            wrappedValue = nil
        } else {
            wrappedValue = try container.decode(Int.self)
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encode(Self.word) }
    }
}
