internal import Shared

/// The way in which a value is written, and its conversion.
struct Form<Value> {
    /// The form's name with an article, as in "must be a duration".
    let name: String
    /// Converts the value. Returns nil if it has reported the errors itself.
    let read: (Entry) throws(ConfigError) -> Value?

    init(_ name: String, read: @escaping (Entry) throws(ConfigError) -> Value?) {
        self.name = name
        self.read = read
    }

    /// A text that `parse` converts. `parse` returns nil for a text in another form.
    init(text name: String, hint: String? = nil, parse: @escaping (String) -> Value?) {
        self.init(name) { entry throws(ConfigError) in
            guard let value = parse(try entry.text(expected: name).value) else {
                throw entry.mismatch(name, hint: hint)
            }
            return value
        }
    }

    /// A number, true or false: a text without quotes that `parse` converts.
    init(plain name: String, hint: String? = nil, parse: @escaping (String) -> Value?) {
        self.init(name) { entry throws(ConfigError) in
            let text = try entry.text(expected: name)
            guard text.isPlain else { throw entry.mismatch("\(name) without quotes") }
            guard let value = parse(text.value) else { throw entry.mismatch(name, hint: hint) }
            return value
        }
    }

    /// The word `word` means `value`; any other text is read in this form.
    func or(_ word: String, _ value: Value) -> Form {
        let name = "\(name) or \"\(word)\""
        return Form(name) { entry throws(ConfigError) in
            if entry.isText, try entry.text(expected: name).value == word { return value }
            do throws(ConfigError) {
                return try read(entry)
            } catch {
                let isMismatch = error.message == entry.mismatch(self.name).message
                throw isMismatch ? entry.mismatch(name, hint: error.hint) : error
            }
        }
    }

    /// The word `word` means nil; any other text is read in this form.
    func orNone(_ word: String) -> Form<Value?> { map(Optional.some).or(word, nil) }

    func map<Other>(_ transform: @escaping (Value) -> Other) -> Form<Other> {
        Form<Other>(name) { entry throws(ConfigError) in try read(entry).map(transform) }
    }
}

extension Form {
    /// A list whose items all have the form `item`.
    static func list<Item>(of item: Form<Item>) -> Form where Value == [Item] {
        let name = "a list"
        return Form(name) { entry throws(ConfigError) in
            var values: [Item] = []
            for element in try entry.items(expected: name) {
                if let value = try item.read(element) { values.append(value) }
            }
            return values
        }
    }

    /// A map whose keys `body` reads.
    static func section(_ body: @escaping (Section) -> Value?) -> Form {
        let name = "a map"
        return Form(name) { entry throws(ConfigError) in try entry.section(expected: name, body) }
    }

    /// One of the words of an enum.
    static func choice() -> Form where Value: CaseIterable & RawRepresentable<String> {
        let words = Value.allCases.map(\.rawValue)
        let quoted = words.map { "\"\($0)\"" }
        let name = [quoted.dropLast().joined(separator: ", "), quoted.last ?? ""].joined(separator: " or ")
        return Form(name) { entry throws(ConfigError) in
            let text = try entry.text(expected: name).value
            guard let value = Value(rawValue: text) else {
                let nearest = entry.written.flatMap { words.nearest(to: $0) }
                throw entry.mismatch(name, hint: nearest.map { "did you mean \"\($0)\"?" })
            }
            return value
        }
    }
}

extension Form<String> {
    static var text: Form { Form(text: "a text") { $0.isEmpty ? nil : $0 } }
    static var anyText: Form { Form(text: "a text") { $0 } }
}

extension Form<Bool> {
    static var truth: Form {
        Form(plain: "true or false") { text in text == "true" ? true : text == "false" ? false : nil }
    }
}

extension Form<Int> {
    static func number(_ range: ClosedRange<Int>) -> Form {
        let end = range.upperBound == .max ? "on" : "to \(range.upperBound)"
        let name = "a whole number from \(range.lowerBound) \(end)"
        return Form(plain: name) { text in
            guard text.allSatisfy(\.isASCIIDigit), let number = Int(text), range.contains(number) else { return nil }
            return number
        }
    }

    static var bytes: Form {
        Form(text: "a size such as 8MB or 4GB") { text in SizeText.bytes(text).flatMap { $0 > 0 ? $0 : nil } }
    }

    static var gigabytes: Form {
        Form(text: "a whole number of gigabytes, such as 50 or 50 GB") { text in
            SizeText.gigabytes(text).flatMap { $0 > 0 ? $0 : nil }
        }
    }
}

extension Form<Duration> {
    static var duration: Form {
        Form(text: "a duration such as 30s, 10m or 1h30m") { text in
            Duration(written: text).flatMap { $0 > .zero ? $0 : nil }
        }
    }
}

extension Form<Money> {
    static var money: Form {
        Form(text: "an amount of US dollars such as 2.50") { text in
            Money(written: text).flatMap { $0.micros > 0 ? $0 : nil }
        }
    }
}
