internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// An exclusive lock of a file of this machine, flock(2). It ends with the process at the latest.
struct FileLock: Sendable {
    private let file: Int32

    /// Throws where another process holds it.
    init(_ path: String) throws {
        try File.makeFolders(path.parentFolder)
        do {
            file = try Errno.check { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        } catch {
            throw Problem("open \"\(path)\"", errno: error.code)
        }
        while flock(file, LOCK_EX | LOCK_NB) != 0 {
            if errno == EINTR { continue }
            close(file)
            throw Failure(
                .unavailable, "another launch is just starting \"\(path.lastComponent)\"", hint: "try again in a moment"
            )
        }
    }

    func release() {
        // A child that was forked and has not called exec yet has the descriptor too.
        flock(file, LOCK_UN)
        close(file)
    }
}
