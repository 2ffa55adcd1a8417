internal import CLinux
internal import Glibc
internal import Shared

enum FileSystem {
    /// Brings everything below the folder `path` to stable storage.
    static func syncTree(_ path: String) throws(Problem) {
        // The kernel does not pass syncfs(2) on to a FUSE file system.
        guard linux_is_fuse(path) != 0 else { return try sync(at: path) }
        for name in try File.list(path) {
            let inner = "\(path)/\(name)"
            guard let status = File.status(inner) else { continue }
            if status.isFolder { try syncTree(inner) } else if status.isFile { try File.sync(inner) }
        }
        try File.sync(path)
    }

    /// Makes the kernel start to write a file's content to the disk, without waiting, sync_file_range(2). Ignores
    /// errors, because `File.sync` follows later.
    static func startWriting(_ path: String) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        _ = sync_file_range(file, 0, 0, linux_start_writing)
    }

    /// Brings everything on the file system that holds `path` to stable storage, syncfs(2).
    static func sync(at path: String) throws(Problem) {
        do {
            let file = try Errno.check { open(path, O_RDONLY | O_CLOEXEC) }
            defer { close(file) }
            try Errno.check { syncfs(file) }
        } catch {
            throw Problem("sync the file system of \"\(path)\"", errno: error.code)
        }
    }
}
