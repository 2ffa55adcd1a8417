internal import Shared

/// The forms in which programs print a secret: as it is, and as they escape or encode it.
enum SecretForms {
    /// Returns the forms of `secret`, each one once and none shorter than `RunSpec.shortestSecret`.
    static func all(of secret: [UInt8]) -> Set<[UInt8]> {
        let value = withoutLineEnds(secret.replacing([carriageReturn, newline], with: [newline]))
        let lines = value.split(separator: newline).map { withoutBlanks(Array($0)) }
        let whole = [value, withoutBlanks(value)].filter { $0.count >= RunSpec.shortestSecret }
        let parts = lines.filter { $0.count >= RunSpec.shortestSecret }
        return Set(whole.flatMap { texts(of: $0) + base64($0) + hexadecimal($0) } + parts.flatMap(texts))
    }

    private static let newline = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// An editor may have added line breaks at the end, which a program cuts off.
    private static func withoutLineEnds(_ bytes: [UInt8]) -> [UInt8] {
        Array(bytes.reversed().drop { $0 == newline || $0 == carriageReturn }.reversed())
    }

    private static func withoutBlanks(_ bytes: [UInt8]) -> [UInt8] {
        let isBlank: (UInt8) -> Bool = { $0 == newline || $0 == carriageReturn || $0 == 0x20 || $0 == 0x09 }
        return Array(bytes.drop(while: isBlank).reversed().drop(while: isBlank).reversed())
    }

    /// As it is, on a terminal, and as escaped by JSON, Python, a shell's trace and URLs.
    private static func texts(of value: [UInt8]) -> [[UInt8]] {
        if value.allSatisfy(isAlphanumeric) { return [value] }
        return [value, value.flatMap { $0 == newline ? [carriageReturn, newline] : [$0] }]
            + escaped(value) + shellWords(value) + percentEncoded(value)
    }
}

// MARK: - Escapes

extension SecretForms {
    private static let backslash = UInt8(ascii: "\\")

    /// Returns the forms that `value` can have between the quotes of a string in JSON, Python's `repr` and most debug
    /// prints.
    private static func escaped(_ value: [UInt8]) -> [[UInt8]] {
        let quotes: [[UInt8]] = [[], Array("\"".utf8), Array("'".utf8), Array("\"/".utf8), Array("\"<>&".utf8)]
        return quotes.flatMap { quotes in
            let escapes: [((Unicode.Scalar) -> String)?] = [nil, unicodeEscape, byteEscape]
            return escapes.map { escape in
                let isMarkup = quotes.contains(UInt8(ascii: "<"))
                return value.text.unicodeScalars.flatMap { scalar in
                    self.escaped(scalar, quotes: quotes, isMarkup: isMarkup, other: escape)
                }
            }
        }
    }

    /// Writes one character of a string: `quotes` get a backslash, `other` writes what is not ASCII.
    private static func escaped(
        _ scalar: Unicode.Scalar, quotes: [UInt8], isMarkup: Bool, other: ((Unicode.Scalar) -> String)?
    ) -> [UInt8] {
        switch scalar {
        case "\\": return [backslash, backslash]
        case "\n": return Array("\\n".utf8)
        case "\r": return Array("\\r".utf8)
        case "\t": return Array("\\t".utf8)
        case "<", ">", "&": return isMarkup ? Array(unicodeEscape(scalar).utf8) : Array(String(scalar).utf8)
        default: break
        }
        if scalar.isASCII && scalar.value >= 0x20 {
            let byte = UInt8(scalar.value)
            return quotes.contains(byte) ? [backslash, byte] : [byte]
        }
        if scalar.isASCII { return Array((other ?? unicodeEscape)(scalar).utf8) }
        return Array((other?(scalar) ?? String(scalar)).utf8)
    }

    /// `\u00e9`, in two halves beyond U+FFFF: json.dumps of Python.
    private static func unicodeEscape(_ scalar: Unicode.Scalar) -> String {
        UTF16.width(scalar) == 1
            ? "\\u" + hexadecimal(scalar.value, width: 4)
            : "\\u\(hexadecimal(UInt32(UTF16.leadSurrogate(scalar)), width: 4))"
                + "\\u\(hexadecimal(UInt32(UTF16.trailSurrogate(scalar)), width: 4))"
    }

    /// `\xc3\xa9`: the `repr` of bytes in Python.
    private static func byteEscape(_ scalar: Unicode.Scalar) -> String {
        String(scalar).utf8.map { "\\x" + hexadecimal(UInt32($0), width: 2) }.joined()
    }

    private static func hexadecimal(_ number: UInt32, width: Int) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// As `set -x` and `printf %q` of a shell print a word.
    private static func shellWords(_ value: [UInt8]) -> [[UInt8]] {
        let quote = UInt8(ascii: "'")
        return [
            value.flatMap { $0 == quote ? Array("'\\''".utf8) : [$0] },
            value.flatMap { isPlainInShell($0) ? [$0] : [backslash, $0] },
        ]
    }

    private static func isPlainInShell(_ byte: UInt8) -> Bool {
        byte >= 0x80 || isAlphanumeric(byte) || "%+-./:=@_,".utf8.contains(byte)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)  // 0-9 A-Z a-z
    }
}

// MARK: - Encodings

extension SecretForms {
    /// The characters besides letters and digits that encoders of URLs leave as they are: Python's `quote` with and
    /// without a safe slash, encodeURIComponent, and the user information and the path of RFC 3986.
    private static let safe = ["_.-~/", "_.-~", "_.-", "_.-*", "_.-~!*'()", "_.-~!$&'()*+,;=", "_.-~!$&'()*+,;=:@/"]

    private static func percentEncoded(_ value: [UInt8]) -> [[UInt8]] {
        safe.flatMap { safe in
            [("0123456789ABCDEF", "%20"), ("0123456789abcdef", "%20"), ("0123456789ABCDEF", "+")].map { digits, space in
                let digits = Array(digits.utf8)
                return value.flatMap { byte -> [UInt8] in
                    if isAlphanumeric(byte) || safe.utf8.contains(byte) { return [byte] }
                    if byte == UInt8(ascii: " ") { return Array(space.utf8) }
                    return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
                }
            }
        }
    }

    private static func hexadecimal(_ value: [UInt8]) -> [[UInt8]] {
        let lower = value.hexadecimal
        return [Array(lower.utf8), Array(lower.uppercased().utf8)]
    }

    /// The characters of base64 that depend on the value alone, for each of the three places at which the value can
    /// begin in a group of three bytes. So `user:value` is found whatever the user is.
    private static func base64(_ value: [UInt8]) -> [[UInt8]] {
        let aligned = (0..<3).flatMap { before -> [[UInt8]] in
            let bytes = [UInt8](repeating: 0, count: before) + value
            let encoded = Base64.encode(bytes).dropFirst([0, 2, 3][before])
            let count = bytes.count * 8 / 6 - [0, 2, 3][before]
            return [Array(encoded.prefix(count)), Array(encoded)]
        }
        // The tool base64 breaks lines at 76 characters, openssl at 64.
        let whole = aligned[1]
        let lines = [76, 64].flatMap { width in
            stride(from: 0, to: whole.count > width ? whole.count : 0, by: width).map {
                Array(whole[$0..<min($0 + width, whole.count)])
            }
        }
        return (aligned + lines).flatMap { [$0, Base64.forURLs($0)] }
    }
}

/// RFC 4648.
private enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 3).flatMap { start -> [UInt8] in
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
            let characters = (0...group.count).map { alphabet[bits >> (18 - 6 * $0) & 63] }
            return characters + [UInt8](repeating: UInt8(ascii: "="), count: 3 - group.count)
        }
    }

    static func forURLs(_ text: [UInt8]) -> [UInt8] {
        text.map { $0 == UInt8(ascii: "+") ? UInt8(ascii: "-") : $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0 }
    }
}
