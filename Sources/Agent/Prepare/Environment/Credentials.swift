internal import Shared

/// Users and passwords in URLs, as in `https://user:token@host/`.
enum Credentials {
    /// Whether a text holds a URL with a user.
    static func areIn(_ text: String) -> Bool { removing(from: text) != text }

    /// Returns the text without the users and passwords of its URLs.
    static func removing(from text: String) -> String {
        var result = ""
        var rest = text[...]
        while let scheme = rest.firstRange(of: "://") {
            result += rest[..<scheme.upperBound]
            rest = rest[scheme.upperBound...]
            let authority = rest.prefix { !"/?#\"' \n\t,".contains($0) }
            if let at = authority.lastIndex(of: "@") { rest = rest[rest.index(after: at)...] }
        }
        return result + rest
    }
}
