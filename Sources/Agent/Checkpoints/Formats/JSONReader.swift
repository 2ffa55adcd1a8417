internal import Shared

/// Reads JSON one token at a time, in bounded memory whatever the file contains.
///
/// Accepts what Python writes: `NaN`, `Infinity` and `-Infinity` are numbers, and one value may follow another. Does
/// not check that texts are UTF-8.
struct JSONReader: ~Copyable {
    enum Token { case objectBegins, objectEnds, arrayBegins, arrayEnds, name, string, number, word }

    private enum Expected { case value, firstOrEnd, name, colon, commaOrEnd }

    /// The text of the last name, string or number.
    var text: String { kept.bytes.text }
    /// False if `text` is cut off at 4096 bytes, or lacks its escaped characters.
    var isTextExact: Bool { !kept.isCut && !hasEscapes }
    var depth: Int { containers.count }

    private var bytes: ByteReader
    private var kept = BoundedText(limit: 4096)
    private var hasEscapes = false
    /// The containers around the next token, the innermost last: true for an object, false for an array.
    private var containers: [Bool] = []
    private var expected = Expected.value

    /// Python's own reader fails near 1000.
    private static let maxDepth = 512

    init(_ file: InputFile, _ range: Range<Int>) {
        bytes = ByteReader(file, range)
    }

    init(_ file: InputFile) { self.init(file, 0..<file.size) }

    /// Returns the next token; nil if the input ends after a whole value. Throws `Damage` if it is not JSON or ends
    /// earlier.
    mutating func next() throws -> Token? {
        while true {
            guard let byte = try nextByte() else {
                if containers.isEmpty { return nil }
                throw Damage("ends in the middle of its JSON")
            }
            switch expected {
            case .colon:
                guard byte == UInt8(ascii: ":") else { throw unexpected(byte) }
                expected = .value
            case .commaOrEnd where byte == UInt8(ascii: ","):
                expected = containers.last == true ? .name : .value
            case .commaOrEnd, .firstOrEnd:
                if byte == UInt8(ascii: containers.last == true ? "}" : "]") { return end() }
                guard expected == .firstOrEnd else { throw unexpected(byte) }
                return try containers.last == true ? name(byte) : value(byte)
            case .name: return try name(byte)
            case .value: return try value(byte)
            }
        }
    }

    /// Skips the rest of the value whose first token is `token`.
    mutating func skip(_ token: Token) throws {
        guard token == .objectBegins || token == .arrayBegins else { return }
        let outside = depth - 1
        while depth > outside { _ = try need() }
    }

    /// Returns the next token. Throws `Damage` if there is none.
    mutating func need() throws -> Token {
        guard let token = try next() else { throw Damage("ends in the middle of its JSON") }
        return token
    }

    /// Returns the next name in the present object; nil at the object's end.
    mutating func nextName() throws -> String? {
        try need() == .name ? text : nil
    }

    /// Skips the next value.
    mutating func skipValue() throws { try skip(try need()) }

    private mutating func name(_ byte: UInt8) throws -> Token {
        guard byte == UInt8(ascii: "\"") else { throw unexpected(byte) }
        try string()
        expected = .colon
        return .name
    }

    private mutating func value(_ byte: UInt8) throws -> Token {
        switch byte {
        case UInt8(ascii: "{"): return try begin(isObject: true)
        case UInt8(ascii: "["): return try begin(isObject: false)
        case UInt8(ascii: "\""):
            try string()
            return ended(.string)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try scalar(byte)
            guard kept.isCut || Double(text) != nil else {
                throw Damage("is not valid JSON: \"\(text.prefix(40))\" before byte \(bytes.position)")
            }
            return ended(.number)
        default:
            let place = bytes.position - 1
            try scalar(byte)
            switch text {
            case "true", "false", "null": return ended(.word)
            case "NaN", "Infinity": return ended(.number)
            default: throw unexpected(byte, at: place)
            }
        }
    }

    private mutating func begin(isObject: Bool) throws -> Token {
        if depth == Self.maxDepth { throw Damage("is nested more than \(Self.maxDepth) deep") }
        containers.append(isObject)
        expected = .firstOrEnd
        return isObject ? .objectBegins : .arrayBegins
    }

    private mutating func end() -> Token {
        ended(containers.removeLast() ? .objectEnds : .arrayEnds)
    }

    private mutating func ended(_ token: Token) -> Token {
        expected = containers.isEmpty ? .value : .commaOrEnd
        return token
    }

    /// Reads the rest of a string into `kept`. Its first quote has been read.
    private mutating func string() throws {
        kept.removeAll()
        hasEscapes = false
        while true {
            let isFound = try bytes.scan(
                until: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") || $0 < 0x20 }, keeping: &kept)
            guard isFound, let byte = try bytes.next() else { throw Damage("ends in the middle of its JSON") }
            if byte == UInt8(ascii: "\"") { return }
            guard byte == UInt8(ascii: "\\") else { throw unexpected(byte) }
            guard let escaped = try bytes.next() else { throw Damage("ends in the middle of its JSON") }
            guard "\"\\/bfnrtu".utf8.contains(escaped) else { throw unexpected(escaped) }
            hasEscapes = true
        }
    }

    /// Reads the rest of a word or number into `kept`.
    private mutating func scalar(_ first: UInt8) throws {
        kept.removeAll()
        hasEscapes = false
        kept.append(first)
        _ = try bytes.scan(
            until: { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                    UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
                    false
                default: true
                }
            }, keeping: &kept)
        // A number that is cut off at the end of the file looks like a whole one.
    }

    /// Returns the next byte that is not white space.
    private mutating func nextByte() throws -> UInt8? {
        while let byte = try bytes.next() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): continue
            default: return byte
            }
        }
        return nil
    }

    /// `place` is the offset of the byte in the file; nil for the last byte read.
    private func unexpected(_ byte: UInt8, at place: Int? = nil) -> Damage {
        let shown = (0x21...0x7e).contains(byte) ? "\"\(Character(UnicodeScalar(byte)))\"" : "the byte \(byte)"
        return Damage("is not valid JSON: \(shown) at byte \(place ?? bytes.position - 1)")
    }
}
