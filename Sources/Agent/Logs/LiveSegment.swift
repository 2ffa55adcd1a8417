internal import Glibc
internal import Shared

/// A segment that is open for writing. Its descriptor is closed on deinit.
final class LiveSegment: Sendable {
    /// The offset of its first byte in the run's log.
    let offset: Int
    let path: String
    let descriptor: Int32

    /// Opens the segment of `attempt` at `offset`, and creates it if it does not exist.
    init(from offset: Int, attempt: Int, in run: RunFolder) throws(Errno) {
        self.offset = offset
        path = run.liveSegmentPath(from: offset, attempt: attempt)
        descriptor = try Errno.check { [path] in
            // A link or a pipe with this name is a stranger's, and nothing may be written through it.
            if let status = File.status(path), !status.isFile { unlink(path) }
            return open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o644)
        }
    }

    deinit { close(descriptor) }
}
