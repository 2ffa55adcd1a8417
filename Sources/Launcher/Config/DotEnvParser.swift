internal import Shared

/// Splits the text of a `.env` file into assignments, line by line.
///
/// Shells, Docker and libraries for Python, Node and Ruby read such files, and each accepts something else. This parser
/// takes what most of them take. It skips lines that assign nothing.
struct DotEnvParser {
    enum Line: Equatable {
        case assignment(name: String, value: [Piece])
        /// A quote has no end, or text follows it.
        case unreadable(name: String, reason: String)
        /// `export NAME`, or a name alone: the variable of the environment is meant.
        case reference
        case unknown
    }

    /// A part of a value.
    enum Piece: Equatable {
        case literal([UInt8])
        /// Variables in it are expanded.
        case expanding([UInt8])
    }

    private let bytes: [UInt8]
    private var next = 0
    /// The number of the current line, from 1.
    private var line = 1

    init(_ bytes: [UInt8]) {
        let mark: [UInt8] = [0xef, 0xbb, 0xbf]  // U+FEFF: some editors write it at the beginning
        let text = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        self.bytes = text.replacing([0x0d, 0x0a], with: [0x0a]).map { $0 == 0x0d ? 0x0a : $0 }
    }

    /// Returns the next line that is neither blank nor a comment, with its number; nil at the end.
    mutating func nextLine() -> (Line, number: Int)? {
        while next < bytes.count {
            skipBlanks()
            if isAtEnd || peek == Self.hash {
                skipLine()
                continue
            }
            let (number, start) = (line, next)
            let found = statement()
            if case .unreadable = found { (next, line) = (start, number) }
            skipLine()
            return (found, number)
        }
        return nil
    }
}

// MARK: - Bytes

extension DotEnvParser {
    private static let newline = UInt8(ascii: "\n")
    private static let backslash = UInt8(ascii: "\\")
    private static let dollar = UInt8(ascii: "$")
    private static let single = UInt8(ascii: "'")
    private static let double = UInt8(ascii: "\"")
    private static let hash = UInt8(ascii: "#")
    private static let semicolon = UInt8(ascii: ";")

    private var peek: UInt8? { next < bytes.count ? bytes[next] : nil }

    /// Whether the line, or the text, ends here.
    private var isAtEnd: Bool { peek == nil || peek == Self.newline }

    private static func isBlank(_ byte: UInt8?) -> Bool { byte == 0x20 || byte == 0x09 }

    private mutating func skipBlanks() { while Self.isBlank(peek) { next += 1 } }

    private mutating func advance() {
        if peek == Self.newline { line += 1 }
        next += 1
    }

    private mutating func skipLine() {
        while !isAtEnd { next += 1 }
        advance()
    }

    private mutating func take(while condition: (UInt8) -> Bool) -> [UInt8] {
        let start = next
        while let byte = peek, byte != Self.newline, condition(byte) { next += 1 }
        return Array(bytes[start..<next])
    }
}

// MARK: - Statements

extension DotEnvParser {
    private mutating func statement() -> Line {
        var name = self.name()
        var isExport = false
        if name == Array("export".utf8), Self.isBlank(peek) {
            skipBlanks()
            isExport = true
            name = self.name()
        }
        guard !name.isEmpty else { return .unknown }
        // `NAME: value` is for dotenv of Node and Ruby an assignment.
        let isColon = name.last == UInt8(ascii: ":") && Self.isBlank(peek)
        if isColon { name.removeLast() }
        skipBlanks()
        if peek == UInt8(ascii: "=") {
            next += 1
        } else if !isColon {
            let rest = take { _ in true }
            let isReference = rest.isEmpty || rest.first == Self.hash || isExport
            return isReference && name.text.isVariableName ? .reference : .unknown
        }
        return name.isEmpty ? .unknown : value(of: name.text)
    }

    private mutating func name() -> [UInt8] {
        take {
            !Self.isBlank($0) && $0 != UInt8(ascii: "=") && $0 != Self.hash && $0 != Self.single && $0 != Self.double
        }
    }

    private mutating func value(of name: String) -> Line {
        let start = (next, line)
        skipBlanks()
        guard peek == Self.single || peek == Self.double else {
            (next, line) = start
            return .assignment(name: name, value: bareValue())
        }
        let quoted = (next, line)
        // Some libraries take \' for a quote inside of single quotes. A shell does not.
        for hasEscapedQuotes in [false, true] {
            (next, line) = quoted
            if let value = quotedValue(hasEscapedQuotes) { return .assignment(name: name, value: value) }
        }
        return .unreadable(name: name, reason: "its quotes do not end")
    }

    /// A value without quotes: up to the end of the line or to ` #`.
    private mutating func bareValue() -> [Piece] {
        var text: [UInt8] = []
        var previous: UInt8?
        while let byte = peek, !isAtEnd, !(byte == Self.hash && Self.isBlank(previous)) {
            text.append(byte)
            previous = byte
            next += 1
        }
        let isBlank: (UInt8) -> Bool = { Self.isBlank($0) }
        return Self.pieces(Array(text.drop(while: isBlank).reversed().drop(while: isBlank).reversed()))
    }

    /// Parts in quotes and without, joined as in a shell. nil if a quote has no end, or more text follows.
    private mutating func quotedValue(_ hasEscapedQuotes: Bool) -> [Piece]? {
        var value: [Piece] = []
        while let byte = peek, !isAtEnd, !Self.isBlank(byte) {
            switch byte {
            case Self.single:
                guard let text = singleQuoted(hasEscapedQuotes) else { return nil }
                value.append(.literal(text))
            case Self.double:
                guard let pieces = doubleQuoted() else { return nil }
                value += pieces
            case Self.semicolon: return value
            default:
                value += Self.pieces(take { !Self.isBlank($0) && $0 != Self.single && $0 != Self.double })
            }
        }
        skipBlanks()
        return isAtEnd || peek == Self.hash || peek == Self.semicolon ? value : nil
    }

    private mutating func singleQuoted(_ hasEscapedQuotes: Bool) -> [UInt8]? {
        next += 1
        var text: [UInt8] = []
        while let byte = peek {
            advance()
            if byte == Self.single { return text }
            if byte == Self.backslash, hasEscapedQuotes, peek == Self.single {
                next += 1
                text.append(Self.single)
            } else {
                text.append(byte)
            }
        }
        return nil
    }

    private mutating func doubleQuoted() -> [Piece]? {
        next += 1
        var pieces: [Piece] = []
        var text: [UInt8] = []
        while let byte = peek {
            advance()
            if byte == Self.double { return pieces + [.expanding(text)] }
            guard byte == Self.backslash, let escaped = peek else {
                text.append(byte)
                continue
            }
            advance()
            switch escaped {
            case UInt8(ascii: "n"): text.append(Self.newline)
            case UInt8(ascii: "r"): text.append(0x0d)
            case UInt8(ascii: "t"): text.append(0x09)
            case Self.double, Self.backslash, UInt8(ascii: "`"): text.append(escaped)
            case Self.dollar:
                pieces += [.expanding(text), .literal([Self.dollar])]
                text = []
            default: text += [byte, escaped]
            }
        }
        return nil
    }

    /// Splits text without quotes at each `\$`, which stands for a dollar sign.
    private static func pieces(_ text: [UInt8]) -> [Piece] {
        text.split(separator: [backslash, dollar], maxSplits: .max, omittingEmptySubsequences: false)
            .map { Piece.expanding(Array($0)) }.reduce(into: []) { pieces, piece in
                if !pieces.isEmpty { pieces.append(.literal([dollar])) }
                pieces.append(piece)
            }
    }
}
