internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The code of a folder as one tar archive, named by its SHA-256. An unchanged tree gives the same archive.
struct CodePack: Sendable, Equatable {
    let code: PackedCode
    let path: String
    /// Paths that look like code and are not packed: `PATH (reason)`.
    let leftOut: [String]
    let warnings: [String]
    /// The ignore rules that selected the files, and their effect.
    let ignored: IgnoreReport
    /// The number of files and links in the archive.
    let files: Int
    /// The paths of all entries.
    let paths: Set<String>

    /// The largest allowed size of all files together, in bytes.
    static let maxSize = 100_000_000

    /// Packs `folder` as `SHA256.tar` into the folder `packs`, with the paths in `include` whatever ignore rules say.
    ///
    /// Throws if a file holds one of the values in `secrets`. A pack that exists is not written again.
    static func make(
        folder: String, including include: [String] = [], without notCode: NotCode = NotCode(),
        secrets: [KnownSecret] = [], into packs: String
    ) async throws -> CodePack {
        let search = SecretSearch(secrets)
        var tries = 3  // an editor or a git checkout may be writing
        while true {
            do {
                let tree = try await CodeTree(folder: folder, without: notCode, including: include)
                return try await pack(tree, search, into: packs)
            } catch let error as Changed {
                tries -= 1
                if tries > 0 { continue }
                throw Problem(
                    "\"\(error.path)\" changes while it is packed",
                    hint: "wait until it is written, or exclude it with .gitignore or \(IgnoreRules.launchFile)")
            }
        }
    }

    /// Packs `folder` to the place where the agents of `volume` read packs.
    static func make(
        folder: String, including include: [String] = [], without notCode: NotCode = NotCode(),
        secrets: [KnownSecret] = [], on volume: Volume
    ) async throws -> CodePack {
        try await make(
            folder: folder, including: include, without: notCode, secrets: secrets,
            into: volume.pack(PackedCode(sha256: "", size: 0)).parentFolder)
    }

    @concurrent
    private static func pack(_ tree: CodeTree, _ search: SecretSearch, into packs: String) async throws -> CodePack {
        try check(tree)
        try File.makeFolders(packs)
        removeStaleFiles(in: packs)
        let output = try PackOutput(in: packs)
        var writer = TarWriter { try output.write($0) }
        var withPassword: [String] = []
        for entry in tree.entries {
            if let secret = search.find(in: entry.path) {
                throw Problem("the name of a file holds the value of a secret, \(secret.words)")
            }
            try writer.begin(entry)
            switch entry.kind {
            case .folder: break
            case .link(let target): if let secret = search.find(in: target) { throw holds(secret, entry) }
            case .file:
                let hasPassword = try copy(entry, at: tree.path(of: entry), search, to: &writer)
                if hasPassword { withPassword.append(entry.path) }
            }
        }
        try writer.finish()
        let code = try output.finish()
        let path = "\(packs)/\(code.sha256).tar"
        try output.put(at: path)
        return CodePack(
            code: code, path: path, leftOut: tree.leftOut.sorted(),
            warnings: tree.warnings + passwordWarnings(about: withPassword),
            ignored: tree.ignored, files: tree.files,
            paths: Set(tree.entries.map(\.path)))
    }

    private static func passwordWarnings(about files: [String]) -> [String] {
        if files.isEmpty { return [] }
        let named = files.prefix(5).map { "\"\($0)\"" }.joined(separator: ", ")
        let more = files.count > 5 ? ", and \(files.count - 5) more" : ""
        return ["a URL with a password goes to the volume with the code, in \(named)\(more)"]
    }

    private static func check(_ tree: CodeTree) throws(Problem) {
        if tree.files == 0 {
            throw Problem(
                "there is no code to pack in \"\(tree.folder)\"",
                hint: "all of it may be ignored by git or \(IgnoreRules.launchFile)")
        }
        if tree.size > maxSize {
            let top = tree.entries.sorted { $0.size > $1.size }.prefix(5)
            throw Problem(
                "the code in \"\(tree.folder)\" is \(megabytes(tree.size)), above the limit of \(megabytes(maxSize))",
                hint:
                    "exclude everything that is not code with .gitignore or \(IgnoreRules.launchFile); the largest are "
                    + top.map { "\"\($0.path)\" (\(megabytes($0.size)))" }.joined(separator: ", "))
        }
    }

    /// Returns whether the file holds a URL with a password.
    private static func copy(
        _ entry: TarEntry, at path: String, _ search: SecretSearch, to writer: inout TarWriter
    ) throws -> Bool {
        do {
            let file = try Errno.check { open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
            defer { close(file) }
            return try copy(entry, from: file, search, to: &writer)
        } catch let error as Errno {
            // The file was deleted, or replaced by a link.
            if error.code == ENOENT || error.code == ELOOP { throw Changed(path: entry.path) }
            throw Problem(
                "read \"\(entry.path)\"", errno: error.code,
                hint: "make it readable, or exclude it with .gitignore or \(IgnoreRules.launchFile)")
        }
    }

    private static func copy(
        _ entry: TarEntry, from file: Int32, _ search: SecretSearch, to writer: inout TarWriter
    ) throws -> Bool {
        let before = try File.status(of: file)
        guard before.isFile, before.size == entry.size else { throw Changed(path: entry.path) }

        // The end of each piece stays in front of the next one: a secret may lie across the two.
        let maxKept = max(search.overlap, URLPasswords.maxLength)
        var buffer = [UInt8](repeating: 0, count: maxKept + pieceSize)
        var kept = 0
        var hasPassword = false
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
                let seen = UnsafeRawBufferPointer(rebasing: bytes[..<filled])
                hasPassword = hasPassword || URLPasswords.areIn(seen, from: kept)
                return search.find(in: seen)
            }
            if let found { throw holds(found, entry) }
            let overlap = min(maxKept, filled)
            buffer.replaceSubrange(0..<overlap, with: Array(buffer[filled - overlap..<filled]))
            kept = overlap
        }
        if try File.status(of: file) != before { throw Changed(path: entry.path) }
        return hasPassword
    }

    private static func holds(_ secret: KnownSecret, _ entry: TarEntry) -> Problem {
        Problem(
            "\"\(entry.path)\" holds the value of a secret, \(secret.words)",
            hint:
                "read it from the environment instead, or leave the file out with .gitignore or \(IgnoreRules.launchFile); "
                + "if it is no secret, move it from .env to \"env\" in the config")
    }

    /// Removes the unfinished packs of a `launch` that was killed.
    private static func removeStaleFiles(in packs: String) {
        let hourAgo = (time(nil) - 3600) * 1_000_000_000
        for name in (try? File.list(packs)) ?? [] where name.hasPrefix(PackOutput.stagingPrefix) {
            guard let status = File.status("\(packs)/\(name)"), status.modified < hourAgo else { continue }
            unlink("\(packs)/\(name)")
        }
    }

    private static func megabytes(_ bytes: Int) -> String { "\(bytes / 1_000_000).\(bytes / 100_000 % 10) MB" }

    /// The size of one read of a file, in bytes.
    private static let pieceSize = 256 << 10

    /// A file changed after the tree was listed.
    private struct Changed: Error {
        let path: String
    }
}
