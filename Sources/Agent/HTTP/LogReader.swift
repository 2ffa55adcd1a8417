internal import NIOCore
internal import Shared
internal import Synchronization

/// Reads the log for one response.
///
/// Bytes that several responses want are read by one of them: those who follow the end of the log read each byte once
/// together. A response that reads old bytes keeps its own place in the log's segments.
final class LogReader: Sendable {
    private let run: RunFolder
    private let pieces: LogPieces
    private let stream = Mutex<LogStream?>(nil)

    init(of run: RunFolder, pieces: LogPieces) {
        self.run = run
        self.pieces = pieces
    }

    /// The offset of the first byte that the log keeps.
    var begin: Int {
        get async throws { try await pieces.threads.value { [self] in try opened.begin } }
    }

    /// Returns the offset of the first byte that came at or after `time`, in seconds since 1970. It is as exact as the
    /// index.
    func offset(at time: Int) async throws -> Int? {
        try await pieces.threads.value { [run] in try LogIndex.offset(at: time, in: run) }
    }

    /// Returns the bytes from `offset` on, at least one, and none at or beyond `end`. All bytes before `end` are
    /// written.
    func read(at offset: Int, before end: Int) async throws -> ByteBuffer {
        try await pieces.read(at: offset, before: end) { [self] in try bytes(in: $0) }
    }

    /// Returns all bytes of `range`. Blocks.
    private func bytes(in range: Range<Int>) throws -> ByteBuffer {
        let stream = try opened
        var buffer = ByteBufferAllocator().buffer(capacity: range.count)
        while buffer.readableBytes < range.count {
            let offset = range.lowerBound + buffer.readableBytes
            let rest = range.upperBound - offset
            let count = try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: rest) { bytes in
                try stream.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<rest]))
            }
            guard count > 0 else { throw Problem("the log ends at byte \(offset), before \(range.upperBound)") }
        }
        return buffer
    }

    private var opened: LogStream {
        get throws {
            if let stream = stream.withLock({ $0 }) { return stream }
            let opened = try LogStream(of: run)
            stream.withLock { $0 = opened }
            return opened
        }
    }
}
