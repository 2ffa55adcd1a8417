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
        let data = Data(bytes)
        try checkNumbers(data)
        let decoder = JSONDecoder()
        decoder.dateDecodingStrategy = .custom { decoder in
            try Self.time.parse(try decoder.singleValueContainer().decode(String.self))
        }
        return try decoder.decode(type, from: data)
    }

    /// The largest magnitude of a number that is taken, so that no sum or conversion of numbers from a volume or from the
    /// wire can overflow. In nanoseconds since 1970 it is the year 2043.
    static let largestNumber = 0x1p61

    private static func checkNumbers(_ json: Data) throws {
        var isText = false
        var isEscaped = false
        var number: [UInt8] = []
        for byte in json {
            if isText {
                if byte == UInt8(ascii: "\"") && !isEscaped { isText = false }
                isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
                continue
            }
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                number.append(byte)
            case UInt8(ascii: "-"), UInt8(ascii: "+"): if !number.isEmpty { number.append(byte) }
            default:
                try check(number: &number)
                isText = byte == UInt8(ascii: "\"")
            }
        }
        try check(number: &number)
    }

    private static func check(number: inout [UInt8]) throws {
        defer { number.removeAll(keepingCapacity: true) }
        // The shortest number out of range is such as 1e19.
        guard number.count > 3, let value = Double(number.text), value > largestNumber else { return }
        let context = DecodingError.Context(
            codingPath: [], debugDescription: "the number \(number.text.prefix(40)) is out of range")
        throw DecodingError.dataCorrupted(context)
    }

    private static let time = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
}
