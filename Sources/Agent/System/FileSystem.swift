internal import CLinux
internal import Glibc
internal import Shared

enum FileSystem {
    /// Brings all that is below the folder `path` to stable storage.
    static func syncTree(_ path: String) throws(Problem) {
        // A FUSE file system is not told of syncfs(2).
        guard linux_is_fuse(path) != 0 else { return try sync(at: path) }
        for name in try File.list(path) {
            let inner = "\(path)/\(name)"
            guard let status = File.status(inner) else { continue }
            if status.isFolder { try syncTree(inner) } else if status.isFile { try File.sync(inner) }
        }
        try File.sync(path)
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
