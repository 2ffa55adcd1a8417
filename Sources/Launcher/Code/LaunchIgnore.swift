internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The rules of a `.launchignore` at the top of the code, with the syntax of gitignore(5).
struct LaunchIgnore: Sendable {
    static let name = ".launchignore"

    private let rules: [Rule]

    init(_ text: String) { rules = text.utf8.split(separator: UInt8(ascii: "\n")).compactMap { Rule(Array($0)) } }

    /// There are no rules if the folder has no such file.
    init(in folder: String) throws(Problem) {
        let path = "\(folder)/\(Self.name)"
        self.init(try File.exists(path) ? try File.read(path).text : "")
    }

    /// Whether the rules exclude `path` or a folder above it. As in git, no rule brings back a part of an excluded
    /// folder.
    func leavesOut(_ path: String, isFolder: Bool) -> Bool {
        if rules.isEmpty { return false }
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
        return parts.indices.contains { last in
            let isFolder = isFolder || last < parts.count - 1
            return rules.last { $0.matches(parts[...last], isFolder: isFolder) }?.leavesOut ?? false
        }
    }
}

/// One line of the file. The last line that matches a path decides.
private struct Rule: Sendable {
    let leavesOut: Bool
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
        leavesOut = rest.first != UInt8(ascii: "!")
        if !leavesOut { rest = rest.dropFirst() }
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
