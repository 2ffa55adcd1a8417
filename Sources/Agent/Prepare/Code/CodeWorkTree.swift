internal import Glibc
internal import Shared

/// A run's work tree, into which packed code is brought. Paths are relative to it.
///
/// Links from packs are never followed. A link that the user put in the place of a folder is followed, but nothing is
/// removed through it.
struct CodeWorkTree {
    let root: String
    /// The paths that packs brought. They may be replaced and removed.
    let brought: Set<CodePath>
    private let broughtFolders: Set<CodePath>
    /// The paths known to be folders, or links to folders.
    private var folders: Set<CodePath> = []
    private(set) var changes = CodeChanges()

    /// The name under which a file is written, in its own folder. The next agent removes one that a killed agent left.
    private static let staging = Array(".pod-agent.new".utf8)

    init(root: String, brought: Set<CodePath>) {
        self.root = root
        self.brought = brought
        broughtFolders = Set(brought.flatMap(\.folders))
    }

    func absolute(_ path: CodePath) -> String { path.isEmpty ? root : "\(root)/\(path.text)" }

    private func status(_ path: CodePath) -> FileStatus? { File.status(absolute(path)) }

    private func wasBrought(_ path: CodePath) -> Bool { brought.contains(path) }

    // MARK: - Before the first change

    func removeStaging(beside paths: some Sequence<CodePath>) throws {
        for folder in Set(paths.flatMap(\.folders)).union([[]]) {
            let path = absolute(Self.staging(in: folder))
            if File.status(path) != nil { try File.remove(path) }
        }
    }

    /// Throws if a file that no pack brought is in the place of a member.
    func checkRoom(for entry: TarEntry, checked: inout Set<CodePath>) throws {
        let path = Array(entry.path.utf8)
        for folder in path.folders where !checked.contains(folder) {
            guard let status = status(folder) else { return }
            if !status.isFolder && wasBrought(folder) { return }  // it is removed before the member comes
            if !isFolder(folder, status) { throw inTheWay(of: "the folder", folder) }
            checked.insert(folder)
        }
        guard let status = status(path), !wasBrought(path) || status.isFolder else { return }
        if entry.kind == .folder {
            if !isFolder(path, status) { throw inTheWay(of: "the folder", path) }
        } else if status.isFolder {
            try checkOnlyBrought(path)
        }
    }

    private func checkOnlyBrought(_ folder: CodePath) throws {
        for name in try File.list(absolute(folder)) {
            let path = folder + [CodePath.slash] + Array(name.utf8)
            if status(path)?.isFolder ?? false {
                try checkOnlyBrought(path)
            } else if !wasBrought(path) {
                throw inTheWay(of: "the file", path)
            }
        }
        if !broughtFolders.contains(folder) && !wasBrought(folder + [CodePath.slash]) {
            throw inTheWay(of: "the file", folder)
        }
    }

    private func isFolder(_ path: CodePath, _ status: FileStatus) -> Bool {
        status.isFolder || (status.isLink && File.exists(absolute(path) + "/."))
    }

    private func inTheWay(of what: String, _ path: CodePath) -> Problem {
        Problem(
            "\"\(absolute(path))\" is in the way of \(what) that the code brings, and no earlier code brought it",
            hint: "move it, or rename what is in the code")
    }

    // MARK: - Removing

    /// Removes a path that packs brought, if it still exists. A folder that the training put in the place of a file
    /// stays.
    mutating func remove(_ path: CodePath) throws {
        if !path.isInside || isBelowLink(path.name) { return }
        guard let status = status(path.name) else { return }
        if path.last == CodePath.slash {
            try removeIfEmpty(path.name)
        } else if !status.isFolder {
            try File.remove(absolute(path))
            changes.removed += 1
            changes.folders.insert(path.folders.last ?? [])
        }
    }

    /// Removes the folders of the `removed` paths that are empty now and are not in `kept`.
    mutating func prune(_ removed: [CodePath], kept: Set<CodePath>) throws {
        let candidates = Set(removed.filter(\.isInside).flatMap(\.folders)).subtracting(kept)
        for folder in candidates.sorted(by: { $1.lexicographicallyPrecedes($0) }) where !isBelowLink(folder) {
            if status(folder)?.isFolder ?? false { try removeIfEmpty(folder) }
        }
    }

    private mutating func removeIfEmpty(_ folder: CodePath) throws {
        let path = absolute(folder)
        if rmdir(path) == 0 {
            changes.folders.insert(folder.folders.last ?? [])
        } else if ![ENOENT, ENOTDIR, ENOTEMPTY, EEXIST, EBUSY].contains(errno) {
            throw Problem("remove folder \"\(path)\"", errno: errno)
        }
    }

    private func isBelowLink(_ path: CodePath) -> Bool { path.folders.contains { status($0)?.isLink ?? false } }

    // MARK: - Putting in place

    /// Puts a member in its place by one rename. `beforeRename` may throw to cancel.
    mutating func put(
        _ member: CodeArchive.Member, from archive: borrowing CodeArchive, beforeRename: () throws -> Void
    ) throws {
        let path = Array(member.entry.path.utf8)
        try makeFolders(path.folders)
        if member.entry.kind == .folder { return try makeFolders([path]) }
        changes.found.append(path)
        if try isInPlace(member, path, archive) { return }

        let staging = absolute(Self.staging(in: path.folders.last ?? []))
        try File.remove(staging)
        switch member.entry.kind {
        case .folder: break
        case .file(_, let isExecutable):
            try write(member, from: archive, to: staging, mode: isExecutable ? 0o755 : 0o644)
        case .link(let target):
            if symlink(target, staging) != 0 { throw Problem("link \"\(staging)\"", errno: errno) }
        }
        try beforeRename()
        if rename(staging, absolute(path)) != 0 { throw Problem("write \"\(absolute(path))\"", errno: errno) }
        changes.written.append(path)
        changes.folders.insert(path.folders.last ?? [])
    }

    private mutating func makeFolders(_ paths: [CodePath]) throws {
        for path in paths where !folders.contains(path) {
            if let status = status(path) {
                let isForeign = status.isLink && wasBrought(path)
                if isForeign || !isFolder(path, status) { throw inTheWay(of: "the folder", path) }
            } else {
                if mkdir(absolute(path), 0o755) != 0 {
                    throw Problem("create folder \"\(absolute(path))\"", errno: errno)
                }
                changes.folders.insert(path.folders.last ?? [])
            }
            folders.insert(path)
        }
    }

    /// Whether the same file is in place already, with the same content or target and executable bit. It then keeps its
    /// time.
    private func isInPlace(
        _ member: CodeArchive.Member, _ path: CodePath, _ archive: borrowing CodeArchive
    ) throws -> Bool {
        guard let status = status(path) else { return false }
        switch member.entry.kind {
        case .folder: return status.isFolder
        case .link(let target):
            return try status.isLink && Array(File.readLink(absolute(path)).utf8) == Array(target.utf8)
        case .file(let size, let isExecutable):
            guard status.isFile, status.size == size, status.isExecutable == isExecutable else { return false }
            let file = open(absolute(path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
            if file < 0 { return false }
            defer { close(file) }
            var isSame = true
            try archive.read(member) { bytes, offset in
                var there = [UInt8](repeating: 0, count: bytes.count)
                isSame = pread(file, &there, there.count, off_t(offset)) == bytes.count && there[...] == bytes
                return isSame
            }
            return isSame
        }
    }

    private func write(
        _ member: CodeArchive.Member, from archive: borrowing CodeArchive, to path: String, mode: mode_t
    ) throws {
        do {
            let file = try Errno.check { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) }
            defer { close(file) }
            try archive.read(member) { bytes, _ in
                try File.write(bytes, to: file)
                return true
            }
        } catch let error as Errno {
            throw Problem("write \"\(path)\"", errno: error.code)
        }
    }

    private static func staging(in folder: CodePath) -> CodePath {
        folder.isEmpty ? staging : folder + [CodePath.slash] + staging
    }
}
