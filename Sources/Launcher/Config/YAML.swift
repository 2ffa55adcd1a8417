internal import Shared
internal import Yams

/// Reads one YAML document as a tree of nodes that know their line and column.
///
/// Every scalar stays the text that was written; the schema decides the meaning of `yes` or `1.10`. Anchors, aliases
/// and tags are refused: a config does not need them, and a few lines of aliases can expand to billions of nodes.
///
/// Yams recurses into nested nodes. libyaml stops at a depth of 1000, which takes up to 1 MB of the calling thread's
/// stack.
struct YAML {
    let file: TextFile

    /// Returns the document, which must be a map.
    func mapping() throws(ConfigError) -> Node.Mapping {
        guard let root = try withoutAliases(), !root.isEmptyPlainScalar else {
            throw error("the config is empty", at: .start, hint: "it needs at least \"run\" and \"command\"")
        }
        guard case .mapping(let mapping) = root else {
            throw error(
                "a config is a map of keys", at: Place(root.mark),
                hint: "such as \"run: my-run\" on a line of its own")
        }
        return mapping
    }

    /// Reads a copy of the text first, with `&` in place of `*`. A `*` begins an alias exactly where a `&` would begin
    /// an anchor: the copy cannot expand, and each alias of the text is an anchor in it, which is refused.
    private func withoutAliases() throws(ConfigError) -> Node? {
        let copy = file.text.replacing("*", with: "&")
        let tree = try compose(copy, check: true)
        return copy == file.text ? tree : try compose(file.text, check: false)
    }

    private func compose(_ text: String, check isChecked: Bool) throws(ConfigError) -> Node? {
        do {
            // A resolver without rules leaves every scalar a text, so `1` and `"1"` are the same key.
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            let root = try parser.singleRoot()
            if isChecked, let root { try check(root) }
            // The anchors of the nodes are valid only while the parser exists.
            return withExtendedLifetime(parser) { root }
        } catch let error as YamlError {
            throw translate(error, text)
        } catch let error as ConfigError {
            throw error
        } catch {
            throw ConfigError(file: file.name, message: "not valid YAML: \(error)")
        }
    }

    /// The tags of nodes without a written tag. Yams fills in the last three.
    private static let plainTags: Set<Tag.Name> = [.implicit, .str, .seq, .map]

    private func check(_ tree: Node) throws(ConfigError) {
        var rest = [tree]
        while let node = rest.popLast() {
            let place = Place(node.mark)
            guard node.anchor == nil else { throw aliasError(at: place) }
            guard Self.plainTags.contains(Tag.Name(rawValue: node.tag.description)) else { throw tagError(at: place) }
            switch node {
            case .scalar: break
            case .sequence(let sequence): rest += sequence.reversed()
            case .mapping(let mapping): rest += mapping.reversed().flatMap { [$0.value, $0.key] }
            case .alias: throw aliasError(at: place)
            }
        }
    }
}

extension YAML {
    private func error(_ message: String, at place: Place, hint: String? = nil) -> ConfigError {
        ConfigError(file: file.name, place: place, message: message, hint: hint)
    }

    private func aliasError(at place: Place) -> ConfigError {
        error(
            "anchors and aliases (\"&name\", \"*name\") are not supported", at: place,
            hint: "a value that begins with \"&\" or \"*\" needs quotes")
    }

    private func tagError(at place: Place) -> ConfigError {
        error("tags (\"!name\") are not supported", at: place, hint: "a value that begins with \"!\" needs quotes")
    }

    private func translate(_ yamlError: YamlError, _ text: String) -> ConfigError {
        switch yamlError {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            syntaxError(problem, at: Place(mark), context: context)
        case .composer(nil, _, let mark, _):
            aliasError(at: Place(mark))
        case .composer(_, _, let mark, _):
            error(
                "more than one document", at: Place(mark), hint: "a config is one document: remove what follows \"---\""
            )
        case .duplicatedKeysInMapping(let keys, let context):
            duplicateError(keys.first ?? "", first: Place(context.mark), text)
        default:
            ConfigError(file: file.name, message: "not valid YAML")
        }
    }

    private func syntaxError(_ problem: String, at place: Place, context: YamlError.Context?) -> ConfigError {
        if let tab = file.text.tab(inIndentationOf: place.line) {
            return error(
                "a tab in the indentation", at: Place(line: place.line, column: tab),
                hint: "YAML is indented with spaces only")
        }
        if problem.hasPrefix("Maximum nesting level") { return error("nested too deeply", at: place) }
        if let context, ["while scanning an anchor", "while scanning an alias"].contains(context.text) {
            return aliasError(at: Place(context.mark))
        }
        if let context, context.text == "while scanning a tag" { return tagError(at: Place(context.mark)) }
        if let context, context.text.hasSuffix("a quoted scalar"), problem.hasPrefix("found unexpected") {
            return error("not valid YAML: the quote that begins here has no end", at: Place(context.mark))
        }
        let outer = context.flatMap { $0.mark.line == place.line ? nil : $0 }
        let during = outer.map { ", \($0.text) that begins on line \($0.mark.line)" } ?? ""
        return error("not valid YAML: \(problem)\(during)", at: place, hint: Self.hints[problem])
    }

    /// Hints for the most frequent errors of libyaml.
    private static let hints = [
        "mapping values are not allowed in this context": "a value that holds \": \" needs quotes",
        "found character that cannot start any token": "a value that begins with \"@\", \"`\" or \"%\" needs quotes",
        "did not find expected key": "is a line indented differently from those beside it, or text left after a quote?",
        "found unknown escape character": "in single quotes a backslash is just a backslash",
    ]

    private func duplicateError(_ key: String, first: Place, _ text: String) -> ConfigError {
        if key.isEmpty, text != file.text { return aliasError(at: first) }
        let name = key.prefix(40)
        guard let second = repetition(of: key, first: first, in: text) else {
            return error("duplicate key \"\(name)\"", at: first)
        }
        return error(
            "duplicate key \"\(name)\", given already on line \(first.line)", at: second,
            hint: "keep only one of the two")
    }

    /// Returns the place of the second of two equal keys; Yams reports only the first one.
    ///
    /// Changes a letter of the first key and reads the text again: then the other one is found.
    private func repetition(of key: String, first: Place, in text: String) -> Place? {
        guard let changed = text.changingLetter(at: first) else { return nil }
        do {
            guard let root = try Parser(yaml: changed, resolver: .basic, encoding: .utf8).singleRoot() else {
                return nil
            }
            var rest = [root]
            while let node = rest.popLast() {
                if case .sequence(let items) = node { rest += items }
                guard case .mapping(let pairs) = node else { continue }
                if pairs.contains(where: { Place($0.key.mark) == first }) {
                    return pairs.first { $0.key.scalar?.string == key }.map { Place($0.key.mark) }
                }
                rest += pairs.map(\.value)
            }
            return nil
        } catch YamlError.duplicatedKeysInMapping(let keys, let context) {
            return keys.first == key && Place(context.mark) != first ? Place(context.mark) : nil
        } catch {
            return nil
        }
    }
}

extension Place {
    init(_ mark: Mark?) { self = mark.map { Place(line: $0.line, column: $0.column) } ?? .start }
}

extension Node {
    /// Whether the document has only comments or `---`.
    fileprivate var isEmptyPlainScalar: Bool { scalar.map { $0.style == .plain && $0.string.isEmpty } ?? false }
}

extension String {
    /// Returns the column of the first tab in the indentation of a line; nil if there is none.
    fileprivate func tab(inIndentationOf line: Int) -> Int? {
        let lines = split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        guard lines.indices.contains(line - 1) else { return nil }
        let indentation = lines[line - 1].prefix { $0 == " " || $0 == "\t" }
        return indentation.firstIndex(of: "\t").map { indentation.distance(from: indentation.startIndex, to: $0) + 1 }
    }

    /// Returns the text with another letter at `place`, or after a quote that is there.
    fileprivate func changingLetter(at place: Place) -> String? {
        var scalars = Array(unicodeScalars)
        var line = 1
        var start = 0
        while line < place.line, start < scalars.count {
            if scalars[start] == "\n" { line += 1 }
            start += 1
        }
        var index = start + (place.column ?? 1) - 1
        guard scalars.indices.contains(index) else { return nil }
        if scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
        guard scalars.indices.contains(index) else { return nil }
        scalars[index] = scalars[index] == "q" ? "z" : "q"
        var text = UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }
}

extension Node.Mapping {
    /// The text of a key in a map of this map, before any expansion; nil if it is no text.
    func text(at outer: String, _ inner: String) -> String? {
        func value(of key: String, in mapping: Node.Mapping) -> Node? {
            mapping.first { $0.key.scalar?.string == key }?.value
        }
        return value(of: outer, in: self)?.mapping.flatMap { value(of: inner, in: $0)?.scalar?.string }
    }
}
