internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// An exclusive lock of a file of this machine, flock(2). It ends with the process at the latest.
struct FileLock: Sendable {
    private let file: Int32

    /// Waits while another process holds it, for `patience` at most.
    static func acquire(_ path: String, within patience: Duration) async throws -> FileLock {
        try File.makeFolders(path.parentFolder)
        let lock: FileLock
        do {
            lock = FileLock(file: try Errno.check { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) })
        } catch {
            throw Problem("open \"\(path)\"", errno: error.code)
        }
        let start = ContinuousClock.now
        while flock(lock.file, LOCK_EX | LOCK_NB) != 0 {
            guard start.duration(to: .now) < patience else {
                close(lock.file)
                throw Failure(
                    .unavailable, "another launch is just starting \"\(path.lastComponent)\"",
                    hint: "try again in a moment")
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return lock
    }

    func release() {
        // A child that was forked and has not called exec yet has the descriptor too.
        flock(file, LOCK_UN)
        close(file)
    }
}
