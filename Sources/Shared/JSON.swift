#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// JSON as all of this project writes and reads it: sorted keys, ISO 8601 times with milliseconds, plain slashes.
public enum JSON {
    public static func encode(_ value: some Encodable, pretty: Bool = false) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if pretty { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.dateEncodingStrategy = .custom { date, encoder in
            var container = encoder.singleValueContainer()
            // The style cuts digits below a millisecond. Adding half a millisecond makes it round. Without it a time
            // that is read and written again would lose a millisecond, because few are exact in binary.
            try container.encode((date + 0.0005).formatted(Self.time))
        }
        return Array(try encoder.encode(value))
    }

    public static func text(_ value: some Encodable, pretty: Bool = false) throws -> String {
        String(decoding: try encode(value, pretty: pretty), as: UTF8.self)
    }

    public static func decode<Value: Decodable>(_ type: Value.Type, from bytes: some Sequence<UInt8>) throws -> Value {
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try Self.time.parse(try decoder.singleValueContainer().decode(String.self))
        }
        return try decoder.decode(type, from: Data(bytes))
    }

    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
