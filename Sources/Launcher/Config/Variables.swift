internal import Shared

/// The variables behind `${NAME}` in a config: those of the environment, then of `.env`, then of `.runpod.env`.
///
/// Only `${NAME}` is replaced. Its value is not expanded again. `$NAME`, `$(...)`, `${NAME:-x}` and the like belong to
/// the shell and stay. `$${NAME}` gives the text `${NAME}`.
struct Variables: Sendable {
    /// The first source that has a name decides.
    private let sources: [[String: String]]

    init(_ sources: [[String: String]]) { self.sources = sources }

    subscript(name: String) -> String? {
        for source in sources { if let value = source[name] { return value } }
        return nil
    }

    struct Unset: Error, Equatable { var name: String }

    func expand(_ text: String) throws(Unset) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[dollar...]
            if let reference = Self.reference(at: rest.dropFirst()) {
                result += reference.text
                rest = rest[reference.text.endIndex...]
            } else if let reference = Self.reference(at: rest) {
                guard let value = self[reference.name] else { throw Unset(name: reference.name) }
                result += value
                rest = rest[reference.text.endIndex...]
            } else {
                result.append("$")
                rest = rest.dropFirst()
            }
        }
        return result + rest
    }

    /// Returns the `${NAME}` at the beginning of `text`; nil if there is none.
    private static func reference(at text: Substring) -> (text: Substring, name: String)? {
        guard text.hasPrefix("${"), let end = text.firstIndex(of: "}") else { return nil }
        let name = text[..<end].dropFirst(2)
        return name.isVariableName ? (text[...end], String(name)) : nil
    }

    /// The values of all variables with a name like that of a secret. They must never be packed or shown.
    ///
    /// Values shorter than `RunSpec.shortestSecret` do not count.
    var knownSecrets: Set<String> {
        let words = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL"]
        let secrets = sources.joined().filter { name, value in
            value.utf8.count >= RunSpec.shortestSecret && words.contains { name.uppercased().contains($0) }
        }
        return Set(secrets.map(\.value))
    }
}

extension String {
    /// The name of the first `$NAME` without braces; nil if there is none.
    var firstShellVariable: String? {
        var rest = self[...]
        while let dollar = rest.firstIndex(of: "$") {
            rest = rest[dollar...].dropFirst()
            let name = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            if name.isVariableName { return String(name) }
        }
        return nil
    }
}
