#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// JSON as RunPod reads and writes it. Unknown fields are ignored; times have milliseconds or not.
enum WireJSON {
    static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws -> Value {
        try JSONDecoder().decode(type, from: Data(bytes))
    }
}

/// A time as RunPod writes it. A form that is not known gives nil and hides no other field.
public struct WireTime: Sendable, Equatable, Codable {
    public var date: Date?

    public init(_ date: Date?) { self.date = date }

    public init(from decoder: any Decoder) throws {
        let text = (try? decoder.singleValueContainer().decode(String.self)) ?? ""
        date =
            (try? Date.ISO8601FormatStyle(includingFractionalSeconds: true).parse(text))
            ?? (try? Date.ISO8601FormatStyle().parse(text))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        guard let date else { return try container.encodeNil() }
        try container.encode((date + 0.0005).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }
}
