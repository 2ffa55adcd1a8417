/// Text for a POSIX shell with placeholders, such as `{checkpoint}`, for words that are known later.
struct ShellText {
    private let text: String

    init(_ text: String) { self.text = text }

    /// The quotes that are open at a place of the text.
    private enum Quotes {
        case none
        case single
        case double
    }

    /// Returns the text with `value` in place of each `placeholder`, so that the shell reads exactly `value` there:
    /// quoted if no quotes are open at that place, else escaped for the user's own quotes.
    func replacing(_ placeholder: String, with value: String) -> String {
        var result = ""
        var rest = text[...]
        var quotes = Quotes.none
        while let character = rest.first {
            if rest.hasPrefix(placeholder) {
                result += Self.escaped(value, in: quotes)
                rest = rest.dropFirst(placeholder.count)
                continue
            }
            result.append(character)
            rest = rest.dropFirst()
            switch (quotes, character) {
            case (.none, "'"): quotes = .single
            case (.none, "\""): quotes = .double
            case (.single, "'"), (.double, "\""): quotes = .none
            case (.none, "\\"), (.double, "\\"):
                // The shell takes the next character as it is.
                if let next = rest.popFirst() { result.append(next) }
            default: break
            }
        }
        return result
    }

    private static func escaped(_ value: String, in quotes: Quotes) -> String {
        switch quotes {
        case .none: TrainingCommand.quote(value)
        case .single: value.replacing("'", with: "'\\''")
        case .double: value.map { "\\\"$`".contains($0) ? "\\\($0)" : String($0) }.joined()
        }
    }
}
