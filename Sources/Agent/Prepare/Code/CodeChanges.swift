internal import Glibc
internal import Shared

/// Changed files and folders that have to be made durable, as absolute paths.
struct CodeChanges {
    var files: Set<String> = []
    /// The folders whose entries changed.
    var folders: Set<String> = []

    /// For more files one syncfs(2) is faster than fsync(2) of each. For fewer it is slower, because it waits for the
    /// data of other programs too.
    private static let maxSingleSyncs = 16

    /// Brings all changes to stable storage.
    func sync() throws {
        // One folder of each file system: the user may have put links to others into the tree.
        var systems: [dev_t: String] = [:]
        for folder in folders {
            var status = stat()
            if stat(folder, &status) == 0 { systems[status.st_dev] = folder }
        }
        // The kernel does not pass syncfs(2) on to a FUSE file system.
        if files.count <= Self.maxSingleSyncs || systems.values.contains(where: FileSystem.isFUSE) {
            for file in files { try sync(file) }
            for folder in folders { try sync(folder) }
        } else {
            for path in systems.values { try FileSystem.sync(at: path) }
        }
    }

    /// Syncs one file or folder. Ignores one that was deleted meanwhile, a link that leads nowhere, and what has no
    /// content to sync.
    private func sync(_ path: String) throws {
        guard let status = File.statusOfTarget(path), status.isFile || status.isFolder else { return }
        do {
            let file = try Errno.check { open(path, O_RDONLY | O_CLOEXEC) }
            defer { close(file) }
            try Errno.check { fsync(file) }
        } catch {
            if error.code != ENOENT && error.code != ENOTDIR { throw Problem("sync \"\(path)\"", errno: error.code) }
        }
    }
}
