internal import Glibc
internal import Shared

/// Changes a run's work tree. Each change is one step that a kill leaves done or not done.
///
/// Links from packs are never followed. A link that the user put in the place of a folder is followed, but nothing is
/// removed through it.
struct CodeTreeChange {
    let tree: CodeWorkTree
    /// The paths known to be folders, or links to folders.
    private var folders: Set<CodePath> = []
    private(set) var changes = CodeChanges()
    private(set) var written = 0
    private(set) var removed = 0

    /// The name under which a file is written, in its own folder. The next agent removes one that a killed agent left.
    private static let staging = Array(".pod-agent.new".utf8)

    init(_ tree: CodeWorkTree) { self.tree = tree }

    private mutating func changed(_ path: CodePath) { changes.folders.insert(tree.absolute(path.folders.last ?? [])) }

    // MARK: Removing

    func removeStaging(beside paths: some Sequence<CodePath>) throws {
        for folder in Set(paths.flatMap(\.folders)).union([[]]) {
            let path = tree.absolute(folder.appending(Self.staging))
            if File.status(path) != nil { try File.remove(path) }
        }
    }

    /// Removes a file or link that packs brought.
    mutating func remove(_ path: CodePath) throws {
        try File.remove(tree.absolute(path))
        removed += 1
        changed(path)
    }

    mutating func removeIfEmpty(_ folder: CodePath) throws {
        guard !tree.isBelowLink(folder), tree.status(folder)?.isFolder ?? false else { return }
        let path = tree.absolute(folder)
        if rmdir(path) == 0 {
            changed(folder)
        } else if ![ENOENT, ENOTDIR, ENOTEMPTY, EEXIST, EBUSY].contains(errno) {
            throw Problem("remove folder \"\(path)\"", errno: errno)
        }
    }

    // MARK: Setting results aside

    /// Moves a result out of the work tree, to the absolute path `target`.
    mutating func move(_ path: CodePath, to target: String, below run: RunFolder) throws {
        let source = tree.absolute(path)
        try File.makeFolders(target.parentFolder)
        changes.files.insert(target)
        changed(path)
        var folder = target.parentFolder
        while folder.utf8.count >= run.path.utf8.count {
            changes.folders.insert(folder)
            folder = folder.parentFolder
        }
        if rename(source, target) == 0 { return }
        let code = errno
        guard code == EXDEV, let status = tree.status(path), status.isFile else {
            throw Problem("move \"\(source)\" to \"\(target)\"", errno: code, hint: "move it out of the code's way")
        }
        // It is behind a link of the user to another file system.
        try copy(source, to: target, isExecutable: status.isExecutable)
        try sync()
        try File.remove(source)
        changed(path)
    }

    private func copy(_ source: String, to target: String, isExecutable: Bool) throws {
        let staging = target + ".new"
        try File.remove(staging)
        do {
            let input = try Errno.check { open(source, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
            defer { close(input) }
            let mode: mode_t = isExecutable ? 0o755 : 0o644
            let output = try Errno.check { open(staging, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) }
            defer { close(output) }
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            while true {
                let count = try buffer.withUnsafeMutableBytes { try File.read(input, into: $0) }
                if count == 0 { break }
                try File.write(buffer[..<count], to: output)
            }
        } catch let error as Errno {
            throw Problem("copy \"\(source)\" to \"\(target)\"", errno: error.code)
        }
        try File.move(staging, to: target)
    }

    /// Brings the changes so far to stable storage. Those that follow may then overwrite what moved.
    mutating func sync() throws {
        try changes.sync()
        changes = CodeChanges()
    }

    /// Adds files that may be unsynced although this sync does not write them.
    mutating func suspect(_ paths: some Sequence<CodePath>) {
        for path in paths {
            changes.files.insert(tree.absolute(path))
            for folder in path.folders + [[]] { changes.folders.insert(tree.absolute(folder)) }
        }
    }

    // MARK: Putting in place

    /// Puts a member in its place by one rename. `beforeRename` may throw to cancel.
    mutating func put(
        _ member: CodeArchive.Member, from archive: borrowing CodeArchive, beforeRename: () throws -> Void
    ) throws {
        let path = Array(member.entry.path.utf8)
        try makeFolders(path.folders)
        if member.entry.kind == .folder { return try makeFolders([path]) }

        let staging = tree.absolute((path.folders.last ?? []).appending(Self.staging))
        try File.remove(staging)
        switch member.entry.kind {
        case .folder: break
        case .file(_, let isExecutable):
            try write(member, from: archive, to: staging, mode: isExecutable ? 0o755 : 0o644)
        case .link(let target):
            if symlink(target, staging) != 0 { throw Problem("link \"\(staging)\"", errno: errno) }
        }
        try beforeRename()
        try File.move(staging, to: tree.absolute(path))
        written += 1
        changes.files.insert(tree.absolute(path))
        changed(path)
    }

    private mutating func makeFolders(_ paths: [CodePath]) throws {
        for path in paths where !folders.contains(path) {
            if let status = tree.status(path) {
                if !status.isFolder && !tree.leadsToFolder(path) { throw tree.inTheWay("no folder", path) }
            } else {
                if mkdir(tree.absolute(path), 0o755) != 0 {
                    throw Problem("create folder \"\(tree.absolute(path))\"", errno: errno)
                }
                changed(path)
            }
            folders.insert(path)
        }
    }

    private func write(
        _ member: CodeArchive.Member, from archive: borrowing CodeArchive, to path: String, mode: mode_t
    ) throws {
        do {
            let file = try Errno.check { open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) }
            defer { close(file) }
            try archive.read(member) { try File.write($0, to: file) }
        } catch let error as Errno {
            throw Problem("write \"\(path)\"", errno: error.code)
        }
    }
}
