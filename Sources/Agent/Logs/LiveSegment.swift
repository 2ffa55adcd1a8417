internal import Glibc
internal import Shared

/// A segment that is open for writing, for as long as anybody needs it.
final class LiveSegment: Sendable {
    /// Of its first byte, in the run's log.
    let offset: Int
    let path: String
    let descriptor: Int32

    /// Begins the segment of `attempt` at `offset`, or goes on with it.
    init(from offset: Int, attempt: Int, in run: RunFolder) throws(Errno) {
        self.offset = offset
        path = run.liveSegmentPath(from: offset, attempt: attempt)
        descriptor = try Errno.check { [path] in open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
    }

    deinit { close(descriptor) }
}
