internal import Shared

/// What packs brought into a run's work tree, `code.json`.
///
/// While it is not `complete`, `files` are those of the pack before and of this one: any of them may be there.
struct CodeManifest: Codable, Equatable, Sendable {
    var sha256 = ""
    var complete = false
    /// Relative to the work tree; a folder that a pack brought as such ends with a slash.
    var files: [String] = []

    static func read(of run: RunFolder) throws -> CodeManifest? {
        guard File.exists(run.codeManifest) else { return nil }
        do {
            return try JSON.decode(CodeManifest.self, from: try File.read(run.codeManifest))
        } catch is DecodingError {
            throw Problem(
                "\"\(run.codeManifest)\" is damaged",
                hint: "remove it: files of older code then stay in \"\(run.work)\"")
        }
    }

    func write(to run: RunFolder) throws {
        try File.replace(run.codeManifest, with: try JSON.encode(self))
    }
}

/// A path in the work tree as bytes: two names that Unicode takes for the same are two files.
typealias CodePath = [UInt8]

extension CodePath {
    static let slash = UInt8(ascii: "/")

    /// The folders it is in, the outermost first.
    var folders: [CodePath] {
        indices.filter { self[$0] == Self.slash && $0 > 0 && $0 < count - 1 }.map { Array(self[..<$0]) }
    }

    /// Without the slash that marks a folder.
    var name: CodePath { last == Self.slash ? dropLast() : self }

    /// Whether it stays below the folder that it is relative to.
    var isInside: Bool {
        first != Self.slash && !isEmpty && !split(separator: Self.slash).contains { Array($0) == Array("..".utf8) }
    }
}
