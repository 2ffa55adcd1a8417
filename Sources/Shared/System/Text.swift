extension Collection<UInt8> {
    /// The bytes as text. Invalid UTF-8 is replaced.
    public var text: String { String(decoding: self, as: UTF8.self) }
}

extension StringProtocol {
    /// The text without white space at either end.
    public var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest = rest.dropFirst() }
        while let last = rest.last, last.isWhitespace { rest = rest.dropLast() }
        return String(rest)
    }
}

extension String {
    /// The path without its last component, dirname(1).
    public var parentFolder: String {
        guard let slash = lastIndex(of: "/") else { return "." }
        return slash == startIndex ? "/" : String(self[..<slash])
    }

    /// The last component of a path, basename(1).
    public var lastComponent: String {
        lastIndex(of: "/").map { String(self[index(after: $0)...]) } ?? self
    }

    /// Returns `path` relative to this folder. An absolute path is unchanged; `.` is this folder.
    public func appending(path: String) -> String {
        if path.hasPrefix("/") { return path }
        let inner = path == "." ? "" : path.hasPrefix("./") ? String(path.dropFirst(2)) : path
        return inner.isEmpty ? self : self + "/" + inner
    }

    /// `number` in decimal, with leading zeros up to `width` digits.
    public init(_ number: Int, width: Int) {
        let digits = String(number)
        self = String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
    }

    /// The part of a URL between its scheme and its path: the host, its port, a user and a password.
    public var urlAuthority: Substring {
        self[(firstRange(of: "://")?.upperBound ?? startIndex)...].prefix { !"/?#".contains($0) }
    }

    /// The first 300 characters of a line, for a record that has to stay small.
    var shortened: String { count > 300 ? prefix(299) + "…" : self }

    /// This path without slashes at its end. "/" stays.
    public var withoutSlashes: String {
        var rest = self[...]
        while rest.count > 1, rest.last == "/" { rest = rest.dropLast() }
        return String(rest)
    }
}
