/// A `Duration` that is a number of seconds in JSON. An optional one that is nil is absent there.
@propertyWrapper
public struct Seconds<Time: SecondsCodable>: Sendable, Equatable {
    public var wrappedValue: Time

    public init(wrappedValue: Time) { self.wrappedValue = wrappedValue }
}

/// `Duration` and `Duration?`.
public protocol SecondsCodable: Sendable, Equatable {
    init(jsonSeconds: Double?) throws
    var jsonSeconds: Double? { get }
}

/// A number of seconds that is absent, or larger than a `Duration` can be.
struct UnusableSeconds: Error {}

extension Duration: SecondsCodable {
    public init(jsonSeconds: Double?) throws {
        guard let seconds = jsonSeconds, abs(seconds) < 9e18 else { throw UnusableSeconds() }  // Int64 ends at 9.2e18
        let whole = seconds.rounded(.down)
        // Whole nanoseconds, so that 0.1 is equal to `.milliseconds(100)`.
        self = .seconds(Int64(whole)) + .nanoseconds(Int64(((seconds - whole) * 1e9).rounded()))
    }

    public var jsonSeconds: Double? { inSeconds }
}

extension Optional: SecondsCodable where Wrapped == Duration {
    public init(jsonSeconds: Double?) throws { self = try jsonSeconds.map { try Duration(jsonSeconds: $0) } }

    public var jsonSeconds: Double? { map(\.inSeconds) }
}

extension Seconds: Codable {
    public init(from decoder: any Decoder) throws {
        let seconds = try decoder.singleValueContainer().decode(Double.self)
        self.init(wrappedValue: try Time(jsonSeconds: seconds))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(wrappedValue.jsonSeconds)
    }
}

// The compiler's own Codable code calls these two for each field that is wrapped.
extension KeyedDecodingContainer {
    func decode<Time>(_ type: Seconds<Time>.Type, forKey key: Key) throws -> Seconds<Time> {
        try decodeIfPresent(type, forKey: key) ?? Seconds(wrappedValue: try Time(jsonSeconds: nil))
    }
}

extension KeyedEncodingContainer {
    mutating func encode<Time>(_ value: Seconds<Time>, forKey key: Key) throws {
        try encodeIfPresent(value.wrappedValue.jsonSeconds, forKey: key)
    }
}
