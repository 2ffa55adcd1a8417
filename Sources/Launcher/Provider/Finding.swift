/// A result of `launch doctor`. The JSON form is stable: fields are added, never renamed.
struct Finding: Sendable, Encodable, Equatable {
    enum Verdict: String, Sendable, Encodable {
        case good
        /// It may do harm.
        case warning
        /// A run would fail.
        case bad
    }

    /// The thing that was checked, such as `key`.
    var subject: String
    var verdict: Verdict
    var text: String
    /// The way to put it right.
    var fix: String?
}
