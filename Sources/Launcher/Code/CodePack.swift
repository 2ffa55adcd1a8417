internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A folder's code in one tar archive, named by its SHA-256: an unchanged tree gives the same one.
struct CodePack: Sendable, Equatable {
    let code: PackedCode
    let path: String
    /// What stays at home though it looks like a part of the code: `PATH (why)`.
    let leftOut: [String]
    let warnings: [String]
    /// Files and links in it.
    let files: Int

    /// Bytes of all files together.
    static let largest = 100_000_000

    /// Packs `folder` into the folder `packs`, as `SHA256.tar`: for a volume, the folder of `Volume.pack`.
    ///
    /// A file that holds one of the values in `secrets` is an error. A pack that is already there is not written again.
    static func make(
        folder: String, without notCode: NotCode = NotCode(), secrets: [String] = [], into packs: String
    ) async throws -> CodePack {
        let search = SecretSearch(secrets)
        var tries = 3  // an editor, or a git checkout, may just be at it
        while true {
            do {
                return try await pack(try await CodeTree(folder: folder, without: notCode), search, into: packs)
            } catch let error as Changed {
                tries -= 1
                if tries > 0 { continue }
                throw Problem(
                    "\"\(error.path)\" changes while it is packed",
                    hint: "let what writes it end, or leave it out with .gitignore or \(LaunchIgnore.name)")
            }
        }
    }

    /// Packs `folder` to where the agent of a run on `volume` looks for it.
    static func make(
        folder: String, without notCode: NotCode = NotCode(), secrets: [String] = [], on volume: Volume
    ) async throws -> CodePack {
        try await make(
            folder: folder, without: notCode, secrets: secrets,
            into: volume.pack(PackedCode(sha256: "", size: 0)).parentFolder)
    }

    @concurrent
    private static func pack(_ tree: CodeTree, _ search: SecretSearch, into packs: String) async throws -> CodePack {
        try check(tree)
        try File.makeFolders(packs)
        removeStaleAsides(in: packs)
        let output = try PackOutput(in: packs)
        var writer = TarWriter { try output.write($0) }
        for entry in tree.entries {
            if search.finds(in: entry.path) { throw Problem("the name of a file holds the value of a secret") }
            try writer.begin(entry)
            switch entry.kind {
            case .folder: break
            case .link(let target): if search.finds(in: target) { throw holdsSecret(entry) }
            case .file: try copy(entry, at: tree.path(of: entry), search, to: &writer)
            }
        }
        try writer.finish()
        let code = try output.finish()
        let path = "\(packs)/\(code.sha256).tar"
        try output.put(at: path)
        return CodePack(
            code: code, path: path, leftOut: tree.leftOut.sorted(), warnings: tree.warnings, files: tree.files)
    }

    private static func check(_ tree: CodeTree) throws(Problem) {
        if tree.files == 0 {
            throw Problem(
                "there is no code to pack in \"\(tree.folder)\"",
                hint: "all of it may be ignored by git or \(LaunchIgnore.name)")
        }
        if tree.size > largest {
            let top = tree.entries.sorted { $0.size > $1.size }.prefix(5)
            throw Problem(
                "the code in \"\(tree.folder)\" is \(megabytes(tree.size)), above the limit of \(megabytes(largest))",
                hint: "leave out what is not code with .gitignore or \(LaunchIgnore.name); the largest are "
                    + top.map { "\"\($0.path)\" (\(megabytes($0.size)))" }.joined(separator: ", "))
        }
    }

    private static func copy(
        _ entry: TarEntry, at path: String, _ search: SecretSearch, to writer: inout TarWriter
    ) throws {
        do {
            let file = try Errno.check { open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
            defer { close(file) }
            try copy(entry, from: file, search, to: &writer)
        } catch let error as Errno {
            // Gone, or a link now.
            if error.code == ENOENT || error.code == ELOOP { throw Changed(path: entry.path) }
            throw Problem(
                "read \"\(entry.path)\"", errno: error.code,
                hint: "make it readable, or leave it out with .gitignore or \(LaunchIgnore.name)")
        }
    }

    private static func copy(
        _ entry: TarEntry, from file: Int32, _ search: SecretSearch, to writer: inout TarWriter
    ) throws {
        let before = try File.status(of: file)
        guard before.isFile, before.size == entry.size else { throw Changed(path: entry.path) }

        // The end of one piece stays in front of the next: a secret may lie across.
        var buffer = [UInt8](repeating: 0, count: search.overlap + pieceSize)
        var kept = 0
        var rest = entry.size
        while true {
            let count = try buffer.withUnsafeMutableBytes { buffer in
                try File.read(file, into: UnsafeMutableRawBufferPointer(rebasing: buffer[kept...]))
            }
            if count > rest || (count == 0 && rest > 0) { throw Changed(path: entry.path) }
            if count == 0 { break }
            rest -= count
            let filled = kept + count
            let found = try buffer.withUnsafeBytes { bytes in
                try writer.write(UnsafeRawBufferPointer(rebasing: bytes[kept..<filled]))
                return search.finds(in: UnsafeRawBufferPointer(rebasing: bytes[..<filled]))
            }
            if found { throw holdsSecret(entry) }
            let overlap = min(search.overlap, filled)
            buffer.replaceSubrange(0..<overlap, with: Array(buffer[filled - overlap..<filled]))
            kept = overlap
        }
        if try File.status(of: file) != before { throw Changed(path: entry.path) }
    }

    private static func holdsSecret(_ entry: TarEntry) -> Problem {
        Problem(
            "\"\(entry.path)\" holds the value of a secret",
            hint: "read it from the environment instead, or leave the file out with .gitignore or \(LaunchIgnore.name)")
    }

    /// Left by a `launch` that was killed while it packed.
    private static func removeStaleAsides(in packs: String) {
        let hourAgo = (time(nil) - 3600) * 1_000_000_000
        for name in (try? File.list(packs)) ?? [] where name.hasPrefix(PackOutput.asidePrefix) {
            guard let status = File.status("\(packs)/\(name)"), status.modified < hourAgo else { continue }
            unlink("\(packs)/\(name)")
        }
    }

    private static func megabytes(_ bytes: Int) -> String { "\(bytes / 1_000_000).\(bytes / 100_000 % 10) MB" }

    /// Of a file's content, read at once.
    private static let pieceSize = 256 << 10

    /// A file is not what it was when the tree was listed.
    private struct Changed: Error {
        let path: String
    }
}
