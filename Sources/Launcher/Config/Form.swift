/// How a value may be written, and what it becomes.
struct Form<Value> {
    /// With an article, as in "must be a duration".
    let name: String
    /// nil where it has reported itself what is wrong.
    let read: (Entry) throws(ConfigError) -> Value?

    init(_ name: String, read: @escaping (Entry) throws(ConfigError) -> Value?) {
        self.name = name
        self.read = read
    }

    /// A text that `parse` makes a value of; nil where it cannot.
    init(text name: String, hint: String? = nil, parse: @escaping (String) -> Value?) {
        self.init(name) { entry throws(ConfigError) in
            guard let value = parse(try entry.text(expected: name).value) else {
                throw entry.mismatch(name, hint: hint)
            }
            return value
        }
    }

    /// The same without quotes: a number or a truth.
    init(plain name: String, hint: String? = nil, parse: @escaping (String) -> Value?) {
        self.init(name) { entry throws(ConfigError) in
            let text = try entry.text(expected: name)
            guard text.isPlain else { throw entry.mismatch("\(name) without quotes") }
            guard let value = parse(text.value) else { throw entry.mismatch(name, hint: hint) }
            return value
        }
    }

    /// `word` stands for `value`; anything else is read in this form.
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

    func map<Other>(_ transform: @escaping (Value) -> Other) -> Form<Other> {
        Form<Other>(name) { entry throws(ConfigError) in try read(entry).map(transform) }
    }
}

extension Form {
    /// Every item in one form.
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

    /// A map with keys of the schema.
    static func section(_ body: @escaping (Section) -> Value?) -> Form {
        let name = "a map"
        return Form(name) { entry throws(ConfigError) in try entry.section(expected: name, body) }
    }

    /// One of an enum's words.
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
