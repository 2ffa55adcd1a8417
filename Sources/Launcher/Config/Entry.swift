internal import Yams

/// The value of a key in the config, or one item of a list.
struct Entry {
    let reader: ConfigReader
    /// The path from the top, such as `limits.stall`.
    let path: String
    let keyPlace: Place
    let node: Node

    /// A text of the config.
    struct Text {
        /// The text with its variables expanded.
        var value: String
        /// Whether the text is neither quoted nor a block. Only plain text can be a number, true or false.
        var isPlain: Bool
    }

    /// Returns the text of a scalar, even if it looks like a number. `expected` names the form for the error.
    func text(expected: String) throws(ConfigError) -> Text {
        guard case .scalar(let scalar) = node else { throw mismatch(expected) }
        guard !isNull else {
            throw keyError("\"\(path)\" has no value", hint: "give it \(expected), or remove the key")
        }
        guard !scalar.string.utf8.contains(0) else { throw error("\"\(path)\" holds a NUL character") }
        return Text(value: try expanded(scalar.string), isPlain: scalar.style == .plain)
    }

    private func expanded(_ text: String) throws(ConfigError) -> String {
        if isForShell { return text }
        do {
            return try reader.variables.expand(text) { reader.noteUse(of: $0) }
        } catch {
            if let problem = reader.variables.problem(with: error.name) { throw problem }
            throw self.error(
                "\"\(path)\" uses \"${\(error.name)}\", which is not set",
                hint: "set it in \(reader.variables.places); \"$${\(error.name)}\" stays as text")
        }
    }

    /// Whether the text belongs to the pod's shell, which expands its variables itself.
    private var isForShell: Bool { ["command", "resume", "fresh"].contains(path) }

    /// The text; nil without an error if the value has none.
    var quietText: String? { try? text(expected: "text").value }

    /// Whether the value is absent, as in `key:`, or is `~` or `null`.
    var isNull: Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    /// Returns each item of a list as an entry.
    func items(expected: String) throws(ConfigError) -> [Entry] {
        if isNull { _ = try text(expected: expected) }
        guard case .sequence(let sequence) = node else {
            throw mismatch(
                expected, hint: isText ? "a list is written [one, two], or with a \"- \" before each item" : nil)
        }
        return sequence.map { Entry(reader: reader, path: path, keyPlace: Place($0.mark), node: $0) }
    }

    /// Reads a map with `body`; nil if `body` reported an error.
    func section<Value>(expected: String, _ body: (Section) -> Value?) throws(ConfigError) -> Value? {
        if isNull { _ = try text(expected: expected) }
        guard case .mapping(let mapping) = node else { throw mismatch(expected) }
        return Section.read(mapping, of: self, reader: reader, body)
    }

    /// The text before its variables are expanded.
    var written: String? { node.scalar?.string }

    var isText: Bool { node.scalar != nil }
    var isList: Bool { node.sequence != nil }
    var isMap: Bool { node.mapping != nil }

    /// Returns an error about the value.
    func error(_ message: String, hint: String? = nil) -> ConfigError { error(at: Place(node.mark), message, hint) }

    /// Returns an error about the key.
    func keyError(_ message: String, hint: String? = nil) -> ConfigError { error(at: keyPlace, message, hint) }

    func mismatch(_ expected: String, hint: String? = nil) -> ConfigError {
        let (found, advice) =
            switch node {
            case .scalar(let scalar): (reader.quoted(scalar.string), nil as String?)
            case .sequence: ("a list", nil)
            case .mapping(let mapping): ("a map", mapping.isBraces ? "a text that begins with \"{\" needs quotes" : nil)
            case .alias: ("an alias", nil)
            }
        return error("\"\(path)\" must be \(expected), not \(found)", hint: hint ?? advice)
    }

    private func error(at place: Place, _ message: String, _ hint: String?) -> ConfigError {
        ConfigError(file: reader.file, place: place, key: path, message: message, hint: hint)
    }
}

extension Node.Mapping {
    /// Whether the map is a text in braces: `{word}` without quotes is a map for YAML.
    fileprivate var isBraces: Bool {
        count == 1 && allSatisfy { $0.value.scalar.map { $0.string.isEmpty && $0.style == .plain } ?? false }
    }
}
