internal import CLinux
internal import Glibc
internal import Shared

/// What was changed in a work tree and has to be made durable.
struct CodeChanges {
    var written: [CodePath] = []
    /// Files and links that are as the pack has them now, written or found so.
    var found: [CodePath] = []
    var removed = 0
    /// Whose entries changed.
    var folders: Set<CodePath> = []

    /// Above this many files one syncfs(2) is faster than fsync(2) of each. Below, it is not worth waiting for what
    /// others have written to the same disk.
    private static let few = 16

    /// Brings it all to stable storage. `isRepeat`: what was found may have been written, and not synced, before a kill.
    func sync(in tree: CodeWorkTree, isRepeat: Bool) throws {
        let files = isRepeat ? found : written
        let folders = isRepeat ? self.folders.union(found.flatMap(\.folders)).union([[]]) : self.folders
        // One of each file system: the user may have put links to other ones into the tree.
        var systems: [dev_t: String] = [:]
        for folder in folders {
            var status = stat()
            if stat(tree.absolute(folder), &status) == 0 { systems[status.st_dev] = tree.absolute(folder) }
        }
        // A FUSE file system is not told of syncfs(2).
        if files.count <= Self.few || systems.values.contains(where: isFuse) {
            for file in files { try sync(tree.absolute(file)) }
            for folder in folders { try sync(tree.absolute(folder)) }
        } else {
            for path in systems.values { try FileSystem.sync(at: path) }
        }
    }

    /// A link has no content of its own, and a folder may be gone again.
    private func sync(_ path: String) throws {
        if (File.status(path)?.isLink ?? false) && !File.exists(path + "/.") { return }
        do {
            let file = try Errno.check { open(path, O_RDONLY | O_CLOEXEC) }
            defer { close(file) }
            try Errno.check { fsync(file) }
        } catch {
            if error.code != ENOENT && error.code != ENOTDIR { throw Problem("sync \"\(path)\"", errno: error.code) }
        }
    }

    private func isFuse(_ path: String) -> Bool { linux_is_fuse(path) != 0 }
}
