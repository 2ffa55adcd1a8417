internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// An exclusive lock on a file of this machine, flock(2). It ends with the process at the latest.
struct FileLock: Sendable {
    private let file: Int32

    /// Waits while another process holds the lock, for at most `timeout`.
    static func acquire(_ path: String, within timeout: Duration) async throws -> FileLock {
        try File.makeFolders(path.parentFolder)
        let lock: FileLock
        do {
            lock = FileLock(file: try Errno.check { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600) })
        } catch {
            throw Problem("open \"\(path)\"", errno: error.code)
        }
        let start = ContinuousClock.now
        while flock(lock.file, LOCK_EX | LOCK_NB) != 0 {
            guard start.duration(to: .now) < timeout else {
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
        // A forked child that has not called exec yet shares the descriptor, so closing it does not unlock.
        flock(file, LOCK_UN)
        close(file)
    }
}
