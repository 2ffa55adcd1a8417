internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Rules with the syntax of gitignore(5), for the paths below one folder. The last rule that matches a path decides.
struct IgnoreRules: Sendable {
    /// Its rules count in every code folder, and precede those of git.
    static let launchFile = ".launchignore"
    static let gitFile = ".gitignore"

    private let rules: [Rule]

    var isEmpty: Bool { rules.isEmpty }

    /// The rules of a file. There are none if it is absent, or is a folder.
    init(file path: String) throws(Problem) {
        let text = File.statusOfTarget(path)?.isFile == true ? try File.read(path) : []
        rules = text.split(separator: UInt8(ascii: "\n")).compactMap { Rule(Array($0)) }
    }

    /// Whether a rule ignores the path with these components, or brings it back with `!`; nil if no rule matches.
    func ignores(_ parts: ArraySlice<[UInt8]>, isFolder: Bool) -> Bool? {
        rules.last { $0.matches(parts, isFolder: isFolder) }?.ignores
    }

    /// Returns the path itself or the first folder above it that a rule ignores; nil if there is none. As in git, no
    /// rule brings back a part of an ignored folder.
    func ignoredPart(of path: String) -> String? {
        if rules.isEmpty { return nil }
        let parts = path.pathComponents
        let end = parts.indices.first { last in
            ignores(parts[...last], isFolder: last < parts.count - 1) == true
        }
        return end.map {
            Array(parts[...$0].joined(separator: [UInt8(ascii: "/")])).text + ($0 < parts.count - 1 ? "/" : "")
        }
    }

    /// Whether a rule with `!` and a path leads to something below the folder with these components.
    func bringsBackBelow(_ folder: ArraySlice<[UInt8]>) -> Bool {
        rules.contains { !$0.ignores && $0.leadsBelow(folder) }
    }
}

extension String {
    /// The bytes between its slashes.
    var pathComponents: ArraySlice<[UInt8]> { utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }[...] }
}

/// One line of the file.
private struct Rule: Sendable {
    let ignores: Bool
    private let onlyFolders: Bool
    /// A pattern as in fnmatch(3) for each component. `**` matches any number of components.
    private let parts: [[UInt8]]

    private static let slash = UInt8(ascii: "/")
    private static let anyFolders = Array("**".utf8)

    /// nil if the line is blank or a comment.
    init?(_ line: [UInt8]) {
        var rest = line[...]
        if rest.last == UInt8(ascii: "\r") { rest = rest.dropLast() }
        // A space at the end counts only after a backslash.
        while rest.last == UInt8(ascii: " "), rest.dropLast().last != UInt8(ascii: "\\") { rest = rest.dropLast() }
        if rest.first == UInt8(ascii: "#") { return nil }
        ignores = rest.first != UInt8(ascii: "!")
        if !ignores { rest = rest.dropFirst() }
        onlyFolders = rest.last == Self.slash
        if onlyFolders { rest = rest.dropLast() }
        let isAnchored = rest.contains(Self.slash)
        if rest.first == Self.slash { rest = rest.dropFirst() }
        if rest.isEmpty { return nil }
        let named = rest.split(separator: Self.slash, omittingEmptySubsequences: false).map { Array($0) }
        parts = isAnchored ? named : [Self.anyFolders] + named
    }

    func matches(_ path: ArraySlice<[UInt8]>, isFolder: Bool) -> Bool {
        if onlyFolders && !isFolder { return false }
        return Self.matches(parts[...], path)
    }

    /// Whether the components of `folder` match the first ones of a longer pattern. `**` at the start leads anywhere,
    /// so it does not count.
    func leadsBelow(_ folder: ArraySlice<[UInt8]>) -> Bool {
        var rest = parts[...]
        for name in folder {
            guard let part = rest.popFirst() else { return false }
            if part == Self.anyFolders { return rest.startIndex > 1 }
            guard fnmatch(part.text, name.text, 0) == 0 else { return false }
        }
        return !rest.isEmpty
    }

    private static func matches(_ parts: ArraySlice<[UInt8]>, _ path: ArraySlice<[UInt8]>) -> Bool {
        guard let part = parts.first else { return path.isEmpty }
        if part == anyFolders {
            if parts.count == 1 { return !path.isEmpty }  // everything inside
            return (0...path.count).contains { matches(parts.dropFirst(), path.dropFirst($0)) }
        }
        guard let name = path.first, fnmatch(part.text, name.text, 0) == 0 else { return false }
        return matches(parts.dropFirst(), path.dropFirst())
    }
}
