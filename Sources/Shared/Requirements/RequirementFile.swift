/// A requirement file of pip, read for what it names. pip itself gets the file as it is.
///
/// The rules are those of pip's "Requirements File Format": an encoding by byte order mark or `coding:` line, lines
/// that a backslash continues, and comments.
public struct RequirementFile: Sendable, Equatable {
    public struct Line: Sendable, Equatable {
        /// The first line of a continued one, from 1.
        public var number: Int
        /// Without comment. Variables such as `${NAME}` are replaced by their values, if they have one.
        public var text: String
    }

    /// The lines that say something.
    public let lines: [Line]

    public init(_ bytes: [UInt8], variables: [String: String] = [:]) {
        lines = Self.joined(Self.text(of: bytes)).compactMap { line in
            let text = Self.expanding(Self.withoutComment(line.text), variables).trimmed
            return text.isEmpty ? nil : Line(number: line.number, text: text)
        }
    }

    /// Returns what the lines name that is not the name of a package.
    public var references: [RequirementReference] { lines.flatMap(RequirementReference.all) }

    private static func text(of bytes: [UInt8]) -> String {
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return bytes.dropFirst(3).text }
        if bytes.starts(with: [0xff, 0xfe]) { return utf16(bytes.dropFirst(2), isBigEndian: false) }
        if bytes.starts(with: [0xfe, 0xff]) { return utf16(bytes.dropFirst(2), isBigEndian: true) }
        let isLatin = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).prefix(2).contains {
            isLatinCoding($0.text)
        }
        return isLatin ? String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) })) : bytes.text
    }

    private static func utf16(_ bytes: ArraySlice<UInt8>, isBigEndian: Bool) -> String {
        let pairs = stride(from: bytes.startIndex, to: bytes.endIndex - 1, by: 2).map { index in
            let pair = (UInt16(bytes[index]), UInt16(bytes[index + 1]))
            return isBigEndian ? pair.0 << 8 | pair.1 : pair.1 << 8 | pair.0
        }
        return String(decoding: pairs, as: UTF16.self)
    }

    /// Whether the line is a comment such as `# -*- coding: latin-1 -*-`, PEP 263.
    private static func isLatinCoding(_ line: String) -> Bool {
        guard line.hasPrefix("#"), let coding = line.firstRange(of: "coding") else { return false }
        let rest = line[coding.upperBound...]
        guard rest.first == ":" || rest.first == "=" else { return false }
        let name = String(rest.dropFirst()).trimmed.lowercased().prefix { !$0.isWhitespace }
        return ["latin-1", "latin1", "latin_1", "iso-8859-1", "iso8859-1", "iso-8859-15", "cp1252", "windows-1252"]
            .contains(String(name))
    }

    private static func joined(_ text: String) -> [Line] {
        var lines: [Line] = []
        var open: Line?
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            let isComment = String(line).trimmed.hasPrefix("#")
            // A comment ends a continued line.
            let piece = isComment ? " " + line : String(line)
            var whole = open ?? Line(number: index + 1, text: "")
            if !isComment && piece.hasSuffix("\\") {
                whole.text += piece.dropLast()
                open = whole
            } else {
                whole.text += piece
                lines.append(whole)
                open = nil
            }
        }
        return lines + (open.map { [$0] } ?? [])
    }

    /// A `#` begins a comment at the start of a line, and after white space.
    private static func withoutComment(_ line: String) -> String {
        var previous: Character = " "
        for index in line.indices {
            if line[index] == "#" && previous.isWhitespace { return String(line[..<index]) }
            previous = line[index]
        }
        return line
    }

    private static func expanding(_ line: String, _ variables: [String: String]) -> String {
        var result = ""
        var rest = line[...]
        while let start = rest.firstRange(of: "${") {
            let name = rest[start.upperBound...].prefix { $0 == "_" || $0.isASCII && ($0.isUppercase || $0.isNumber) }
            result += rest[..<start.lowerBound]
            if !name.isEmpty, rest[name.endIndex...].first == "}", let value = variables[String(name)], !value.isEmpty {
                result += value
                rest = rest[name.endIndex...].dropFirst()
            } else {
                result += "${"
                rest = rest[start.upperBound...]
            }
        }
        return result + rest
    }
}
