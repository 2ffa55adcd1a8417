internal import CLinux
internal import Glibc
internal import Shared

enum FileSystem {
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
