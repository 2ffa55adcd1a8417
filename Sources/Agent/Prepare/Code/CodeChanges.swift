internal import CLinux
internal import Glibc
internal import Shared

/// The changes of a work tree that have to be made durable.
struct CodeChanges {
    var written: [CodePath] = []
    /// All files and links of the pack, whether they were written or already in place.
    var found: [CodePath] = []
    var removed = 0
    /// The folders whose entries changed.
    var folders: Set<CodePath> = []

    /// For more files one syncfs(2) is faster than fsync(2) of each. For fewer it is slower, because it waits for the
    /// data of other programs too.
    private static let maxSingleSyncs = 16

    /// Brings all changes to stable storage. `isRepeat`: an earlier sync was killed, so that files in place may not be
    /// synced.
    func sync(in tree: CodeWorkTree, isRepeat: Bool) throws {
        let files = isRepeat ? found : written
        let folders = isRepeat ? self.folders.union(found.flatMap(\.folders)).union([[]]) : self.folders
        // One folder of each file system: the user may have put links to others into the tree.
        var systems: [dev_t: String] = [:]
        for folder in folders {
            var status = stat()
            if stat(tree.absolute(folder), &status) == 0 { systems[status.st_dev] = tree.absolute(folder) }
        }
        // The kernel does not pass syncfs(2) on to a FUSE file system.
        if files.count <= Self.maxSingleSyncs || systems.values.contains(where: isFuse) {
            for file in files { try sync(tree.absolute(file)) }
            for folder in folders { try sync(tree.absolute(folder)) }
        } else {
            for path in systems.values { try FileSystem.sync(at: path) }
        }
    }

    /// Syncs one file or folder. Ignores a link that leads nowhere, and a folder that was deleted meanwhile.
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
