internal import Shared

/// The variables behind `${NAME}` in a config: those of the environment, then of each `.env` file.
///
/// Only `${NAME}` is replaced. Its value is not expanded again. `$NAME`, `$(...)`, `${NAME:-x}` and the like belong to
/// the shell and stay. `$${NAME}` gives the text `${NAME}`.
struct Variables: Sendable {
    private let environment: [[String: String]]
    private let files: [DotEnv]

    /// The first source that has a name decides.
    init(_ environment: [[String: String]], files: [DotEnv] = []) {
        self.environment = environment
        self.files = files
    }

    subscript(name: String) -> String? {
        for source in environment + files.map(\.values) { if let value = source[name] { return value } }
        return nil
    }

    /// Why a variable that is not set has no value, if a file has a value that cannot be read.
    func problem(with name: String) -> ConfigError? { files.lazy.compactMap { $0.unreadable[name] }.first }

    /// The places in which a user can set a variable, in words.
    var places: String {
        let names = files.map(\.name).filter { $0.hasSuffix(".env") && !$0.hasSuffix(".runpod.env") }
        return "the environment or in \(names.isEmpty ? ".env" : names.joined(separator: " or "))"
    }

    /// The value of the variable as a secret; nil if it is not set.
    func secret(_ name: String) -> KnownSecret? {
        guard let value = self[name] else { return nil }
        let isInherited = environment.contains { $0[name] != nil }
        let file = isInherited ? nil : files.first { $0.values[name] != nil }
        return KnownSecret(value: value, name: name, origin: file?.name ?? "the environment")
    }

    struct Unset: Error, Equatable { var name: String }

    /// Calls `use` with the name of each variable that was expanded.
    func expand(_ text: String, use: (String) -> Void = { _ in }) throws(Unset) -> String {
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
                use(reference.name)
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

    /// All that the files set, if it can be a secret. A variable of the environment is none unless the config says so:
    /// its name proves nothing.
    var knownSecrets: [KnownSecret] {
        files.flatMap { file in
            file.values.filter(KnownSecret.isSecret).map { KnownSecret(value: $1, name: $0, origin: file.name) }
        }
    }

    /// Values that no error shows: those of the files, and of variables with a name like that of a secret.
    var hidden: Set<String> {
        let named = environment.joined().filter { KnownSecret.looksSecret($0.key) }.map(\.value)
        return Set((named + knownSecrets.map(\.value)).filter { $0.utf8.count >= RunSpec.shortestSecret })
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
    /// The name of the first `${NAME}`; nil if there is none.
    var firstBracedVariable: String? {
        var rest = self[...]
        while let start = rest.firstRange(of: "${")?.upperBound {
            rest = rest[start...]
            if let end = rest.firstIndex(of: "}"), rest[..<end].isVariableName { return String(rest[..<end]) }
        }
        return nil
    }
}
