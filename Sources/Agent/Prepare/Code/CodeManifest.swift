internal import Shared

/// The file `code.json` of a run: which files packs brought into the work tree.
///
/// Until it is `complete`, `files` lists both the last pack's files and the new pack's. Any of them may exist then.
struct CodeManifest: Codable, Equatable, Sendable {
    var sha256 = ""
    var complete = false
    /// Paths relative to the work tree. A folder that is a member of the pack ends with a slash.
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

/// A path in the work tree as bytes. Two names that Unicode treats as equal may be two files.
typealias CodePath = [UInt8]

extension CodePath {
    static let slash = UInt8(ascii: "/")

    /// The folders that contain it, the outermost first.
    var folders: [CodePath] {
        indices.filter { self[$0] == Self.slash && $0 > 0 && $0 < count - 1 }.map { Array(self[..<$0]) }
    }

    /// The path without the slash that marks a folder.
    var name: CodePath { last == Self.slash ? dropLast() : self }

    /// Whether the path stays inside the work tree: relative, not empty, and without `..`.
    var isInside: Bool {
        first != Self.slash && !isEmpty && !split(separator: Self.slash).contains { Array($0) == Array("..".utf8) }
    }
}
