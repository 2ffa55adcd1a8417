internal import Shared

/// The variables of a `.env` file: `NAME=VALUE` lines, as most tools read them.
///
/// A bare value ends before ` #`. Single quotes take the text unchanged. Double quotes allow `\n`, `\t`, `\"`, `\\` and
/// `\$`. Each value is on one line. `export` before a name, blank lines and comments are allowed. Nothing is expanded.
/// The last of two equal names counts. No error shows a value.
struct DotEnv {
    private(set) var values: [String: String] = [:]

    private init() {}

    /// There are no variables if the file is absent, or is a folder: some users keep a Python environment there.
    init(path: String, name: String) throws(ConfigError) {
        guard let status = File.statusOfTarget(path), !status.isFolder else {
            self.init()
            return
        }
        try self.init(try TextFile(path: path, name: name))
    }

    init(_ file: TextFile) throws(ConfigError) {
        for (index, line) in file.text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
        {
            do {
                guard let (name, value) = try Self.parse(line) else { continue }
                values[name] = value
            } catch {
                throw ConfigError(
                    file: file.name, place: Place(line: index + 1), key: error.name, message: error.message)
            }
        }
    }

    private struct Broken: Error {
        var name: String?
        var message: String
    }

    /// nil for a blank line or a comment.
    private static func parse(_ line: Substring) throws(Broken) -> (name: String, value: String)? {
        var rest = line.trimmed[...]
        if rest.isEmpty || rest.hasPrefix("#") { return nil }
        if rest.hasPrefix("export ") { rest = rest.dropFirst("export ".count) }
        let parts = rest.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].trimmed.isVariableName else {
            throw Broken(message: "expected NAME=VALUE")
        }
        let name = parts[0].trimmed
        let text = parts[1].trimmed[...]
        guard let quote = text.first, quote == "'" || quote == "\"" else { return (name, bare(parts[1])) }
        guard let (value, rest) = quoted(text.dropFirst(), by: quote) else {
            throw Broken(name: name, message: "the quoted value of \"\(name)\" does not end on its line")
        }
        guard rest.trimmed.isEmpty || rest.trimmed.hasPrefix("#") else {
            throw Broken(name: name, message: "more text after the quoted value of \"\(name)\"")
        }
        return (name, value)
    }

    private static func bare(_ text: Substring) -> String {
        var previous: Character = "="
        let end = text.firstIndex { character in
            defer { previous = character }
            return character == "#" && previous.isWhitespace
        }
        return text[..<(end ?? text.endIndex)].trimmed
    }

    /// Returns the value up to the closing quote, and the text after it; nil if there is no closing quote.
    private static func quoted(_ text: Substring, by quote: Character) -> (value: String, rest: Substring)? {
        var value = ""
        var rest = text
        while let character = rest.popFirst() {
            if character == quote { return (value, rest) }
            guard character == "\\", quote == "\"" else {
                value.append(character)
                continue
            }
            guard let escaped = rest.popFirst() else { return nil }
            switch escaped {
            case "n": value.append("\n")
            case "t": value.append("\t")
            case "\"", "\\", "$": value.append(escaped)
            default: value += ["\\", escaped]
            }
        }
        return nil
    }
}

extension StringProtocol {
    /// `[A-Za-z_][A-Za-z0-9_]*`
    var isVariableName: Bool {
        guard let first = utf8.first, !(0x30...0x39).contains(first) else { return false }  // 0-9
        return utf8.allSatisfy(\.isVariableNameByte)
    }
}

extension UInt8 {
    fileprivate var isVariableNameByte: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5a, 0x5f, 0x61...0x7a: true  // 0-9, A-Z, _, a-z
        default: false
        }
    }
}
