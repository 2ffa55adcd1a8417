/// Something that a line of a requirement file names, other than a package by its name.
public struct RequirementReference: Sendable, Equatable {
    public enum Kind: Sendable, Equatable {
        /// A requirement or constraint file, relative to the file that names it.
        case include
        /// A place with packages, `--find-links`: relative to the file that names it, or else to the working folder.
        case links
        /// A file or folder that is installed, relative to the working folder.
        case package
        /// A folder that is installed with `-e`, relative to the working folder.
        case editable
    }

    public var kind: Kind
    /// A path, or for `include` and `links` a path or URL.
    public var target: String
    /// The line that names it, from 1.
    public var line: Int

    /// Whether `target` is for pip to fetch.
    public var isRemote: Bool { Self.isRemote(target) }

    public static func isRemote(_ target: String) -> Bool { target.contains("://") }

    private static let options: [(short: String, long: String, kind: Kind)] = [
        ("-r", "--requirement", .include), ("-c", "--constraint", .include), ("-f", "--find-links", .links),
        ("-e", "--editable", .editable),
    ]

    static func all(in line: RequirementFile.Line) -> [RequirementReference] {
        if line.text.hasPrefix("-") {
            return options(in: words(line.text)).compactMap { kind, value in
                let target = kind == .editable ? path(of: value, isEditable: true) : localFile(value) ?? value
                return target.map { RequirementReference(kind: kind, target: $0, line: line.number) }
            }
        }
        // The options of one requirement, such as --hash, follow it.
        let requirement = line.text.firstRange(of: " -").map { line.text[..<$0.lowerBound] } ?? line.text[...]
        guard let path = path(of: requirement.trimmed, isEditable: false) else { return [] }
        return [RequirementReference(kind: .package, target: path, line: line.number)]
    }

    private static func options(in words: [String]) -> [(Kind, String)] {
        var found: [(Kind, String)] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            for option in options {
                if word == option.short || word == option.long {
                    if rest.first == "=" { rest = rest.dropFirst() }
                    if let value = rest.popFirst() { found.append((option.kind, value)) }
                } else if word.hasPrefix(option.long + "=") {
                    found.append((option.kind, String(word.dropFirst(option.long.count + 1))))
                } else if word.hasPrefix(option.short), !word.hasPrefix("--") {
                    found.append((option.kind, String(word.dropFirst(2))))
                } else {
                    continue
                }
                break
            }
        }
        return found.filter { !$0.1.isEmpty }
    }

    /// Splits a line as a shell would.
    private static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        var isEscaped = false
        for character in text {
            if isEscaped {
                word = (word ?? "") + String(character)
                isEscaped = false
            } else if character == "\\" && quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character.isWhitespace {
                if let done = word { words.append(done) }
                word = nil
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }
}

extension RequirementReference {
    private static let archives = [
        ".whl", ".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tar.xz", ".txz", ".tar.lz", ".tar.lzma",
    ]

    /// Returns the path that a requirement names; nil if it names a package, or something to fetch.
    ///
    /// pip takes a word for a path if it holds a slash, begins with a dot or ends like an archive.
    private static func path(of requirement: String, isEditable: Bool) -> String? {
        var text = withoutMarker(afterName(requirement))
        if let file = localFile(text) { return file }
        if isRemote(text) || text.contains("git+") { return nil }
        if text.hasSuffix("]"), let bracket = text.lastIndex(of: "[") { text = String(text[..<bracket]) }
        let lowercase = text.lowercased()
        let isPath = text.contains("/") || text.hasPrefix(".") || archives.contains { lowercase.hasSuffix($0) }
        return isPath || isEditable && !text.isEmpty ? text : nil
    }

    /// Returns what follows `NAME @` or `NAME[extra] @`, PEP 508; the whole text if there is no such name.
    private static func afterName(_ text: String) -> String {
        guard let at = text.firstIndex(of: "@") else { return text }
        let name = String(text[..<at])
        return name.contains("/") || name.contains(":") || name.hasPrefix(".") || name.isEmpty
            ? text : String(text[text.index(after: at)...]).trimmed
    }

    private static func withoutMarker(_ text: String) -> String {
        let separator = text.contains("://") ? "; " : ";"
        return text.firstRange(of: separator).map { String(text[..<$0.lowerBound]).trimmed } ?? text
    }

    /// Returns the path of a `file:` URL; nil for other texts.
    public static func localFile(_ text: String) -> String? {
        guard text.lowercased().hasPrefix("file:") else { return nil }
        var path = text.dropFirst(5)
        if path.hasPrefix("//") { path = path.dropFirst(2).drop { $0 != "/" } }
        return withoutPercents(path.prefix { $0 != "#" && $0 != "?" }.utf8)
    }

    private static func withoutPercents(_ bytes: Substring.UTF8View) -> String {
        var result: [UInt8] = []
        var rest = Array(bytes)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let value = UInt8(rest.prefix(2).text, radix: 16), rest.count > 1 {
                result.append(value)
                rest = rest.dropFirst(2)
            } else {
                result.append(byte)
            }
        }
        return result.text
    }
}
