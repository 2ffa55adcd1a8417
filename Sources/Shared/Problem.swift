/// An error for the user: a sentence that names the thing, and a hint about what to do.
public struct Problem: Error, Equatable, CustomStringConvertible {
    /// Lower case, no full stop, things in double quotes.
    public var sentence: String
    public var hint: String?

    public init(_ sentence: String, hint: String? = nil) {
        self.sentence = sentence
        self.hint = hint
    }

    /// `doing` is a verb phrase, such as `open checkpoint "x"`.
    public init(_ doing: String, errno: Int32, hint: String? = nil) {
        self.init("could not \(doing): \(Errno(errno))", hint: hint)
    }

    public var description: String {
        hint.map { "\(sentence)\nhint: \($0)" } ?? sentence
    }
}
