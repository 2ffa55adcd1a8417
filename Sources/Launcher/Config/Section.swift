internal import Yams

/// A map of the config. Its keys are those that the code asks for. Errors go to the reader.
final class Section {
    private let reader: ConfigReader
    /// The key that has this map as its value; nil at the top.
    private let owner: Entry?
    private let entries: [(key: String, entry: Entry)]
    private var known: [String] = []
    /// Whether every key is allowed.
    private var isOpen = false

    init(_ mapping: Node.Mapping, of owner: Entry? = nil, reader: ConfigReader) {
        self.reader = reader
        self.owner = owner
        entries = mapping.compactMap { pair in
            let place = Place(pair.key.mark)
            guard let key = pair.key.scalar?.string, key != "<<" else {
                let message = pair.key.scalar == nil ? "a key must be a word" : "merge keys (\"<<\") are not supported"
                reader.report(ConfigError(file: reader.file, place: place, message: message))
                return nil
            }
            let path = owner.map { "\($0.path).\(key)" } ?? key
            let entry = Entry(reader: reader, path: path, keyPlace: place, node: pair.value)
            reader.note(GivenKey(path: path, place: place, text: entry.quietText))
            return (key, entry)
        }
    }

    /// Reads `mapping` with `body`. Reports the first key that `body` did not ask for.
    static func read<Value>(
        _ mapping: Node.Mapping, of owner: Entry? = nil, reader: ConfigReader, _ body: (Section) -> Value?
    ) -> Value? {
        let section = Section(mapping, of: owner, reader: reader)
        let value = body(section)
        if !section.isOpen, let (key, entry) = section.entries.first(where: { !section.known.contains($0.key) }) {
            reader.report(section.unknown(key, entry))
        }
        return value
    }

    /// Returns the value; nil if the key is absent or its value is wrong.
    func get<Value>(_ key: String, _ form: Form<Value>) -> Value? {
        known.append(key)
        guard let entry = entries.first(where: { $0.key == key })?.entry else { return nil }
        do {
            return try form.read(entry)
        } catch {
            reader.report(error)
            return nil
        }
    }

    /// Sets `field` if the key is present and its value is right. Otherwise the field keeps its default.
    func get<Value>(_ key: String, _ form: Form<Value>, into field: inout Value) {
        if let value = get(key, form) { field = value }
    }

    func required<Value>(_ key: String, _ form: Form<Value>) -> Value? {
        if !has(key) {
            let path = owner.map { "\($0.path).\(key)" } ?? key
            reader.miss(
                ConfigError(
                    file: reader.file, place: owner?.keyPlace, key: path,
                    message: "\"\(path)\" is missing", hint: "it must be \(form.name)"))
        }
        return get(key, form)
    }

    func has(_ key: String) -> Bool { entries.contains { $0.key == key } }

    /// Returns all keys and values of a map whose keys the user chooses. `check` throws for a wrong key.
    func all<Value>(_ form: Form<Value>, check: (Entry, String) throws(ConfigError) -> Void) -> [String: Value] {
        isOpen = true
        var values: [String: Value] = [:]
        for (key, entry) in entries {
            do throws(ConfigError) {
                try check(entry, key)
                values[key] = try form.read(entry)
            } catch {
                reader.report(error)
            }
        }
        return values
    }

    /// Reports all but the first of `keys` if several are given.
    func exclusive(_ keys: [String], _ message: String, hint: String) {
        for (_, entry) in entries.filter({ keys.contains($0.key) }).dropFirst() {
            reader.report(entry.keyError(message, hint: hint))
        }
    }

    /// Reports `message` about `key` and returns nil.
    func fail<Value>(at key: String, _ message: String) -> Value? {
        if let entry = entries.first(where: { $0.key == key })?.entry { reader.report(entry.keyError(message)) }
        return nil
    }

    /// Reports `message` about the map itself, which lacks a key, and returns nil.
    func lack<Value>(_ message: String) -> Value? {
        if let owner { reader.miss(owner.keyError(message)) }
        return nil
    }

    private func unknown(_ key: String, _ entry: Entry) -> ConfigError {
        let place = owner.map { " in \"\($0.path)\"" } ?? ""
        let hint =
            known.nearest(to: key).map { "did you mean \"\($0)\"?" } ?? "known keys: \(known.joined(separator: ", "))"
        return entry.keyError("unknown key \(reader.quoted(key))\(place)", hint: hint)
    }
}
