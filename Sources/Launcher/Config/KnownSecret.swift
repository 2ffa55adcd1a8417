internal import Shared

/// A value that must never be packed, shown, or written to a volume.
struct KnownSecret: Sendable, Hashable {
    var value: String
    /// The variable's name.
    var name: String
    /// A `.env` file as the user names it, or `the environment`.
    var origin: String

    var words: String { "\"\(name)\" of \(origin)" }
}

extension KnownSecret {
    /// Whether a value of a `.env` file counts as secret. All do, except for short ones and for text that is no secret
    /// unless its name says so: a word, a number, a path, or the address of a server.
    static func isSecret(name: String, value: String) -> Bool {
        guard value.utf8.count >= RunSpec.shortestSecret else { return false }
        return looksSecret(name) || !isCommon(value)
    }

    /// Whether the variable's name is like that of a secret.
    static func looksSecret(_ name: String) -> Bool {
        let parts = ["KEY", "TOKEN", "SECRET", "PASS", "PWD", "CREDENTIAL", "AUTH"]
        let name = name.uppercased()
        return parts.contains { name.contains($0) } || name.split(separator: "_").contains("PAT")
    }

    private static func isCommon(_ value: String) -> Bool {
        if value.utf8.count <= 16, value.utf8.allSatisfy({ (0x61...0x7a).contains($0) }) { return true }  // a-z
        if value.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }) { return true }  // 0-9
        if ["/", "./", "../", "~/"].contains(where: value.hasPrefix) { return true }
        let isURL = ["http://", "https://"].contains(where: value.hasPrefix)
        let path = value[value.urlAuthority.endIndex...]
        return isURL && !value.urlAuthority.contains("@") && (path.isEmpty || path == "/")
    }
}
