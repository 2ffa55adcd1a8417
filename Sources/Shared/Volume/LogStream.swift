internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A run's log as one stream of bytes, read from the segments on the volume while they are written, sealed and removed.
///
/// A segment's bytes end where the next segment begins: what a stale attempt wrote beyond that is not part of the stream.
/// Each call blocks. Reading on from where the last read ended is cheap; one stream has one reader.
public final class LogStream: Sendable {
    private let state: Mutex<State>

    /// The segments that `run` has now; more are seen when they are needed. A run without a log is an empty stream.
    public init(of run: RunFolder) throws(Problem) {
        state = Mutex(try State(folder: run.logs))
    }

    /// The offset of the first byte that is kept.
    public var begin: Int { state.withLock { $0.segments.first?.offset ?? 0 } }

    /// The offset after the last byte.
    public var end: Int {
        get throws(Problem) { try state.withLock { (state) throws(Problem) in try state.end() } }
    }

    /// Brings what was not sealed yet to stable storage.
    public func sync() throws(Problem) {
        try state.withLock { (state) throws(Problem) in
            for segment in state.segments where !segment.isCompressed { try File.sync(state.path(of: segment)) }
        }
    }

    /// Whether the last byte ends a line; true of an empty log.
    public var endsLine: Bool {
        get throws(Problem) {
            let end = try self.end
            return end == begin ? true : try read(at: end - 1, limit: 1) == [UInt8(ascii: "\n")]
        }
    }

    /// Up to `limit` bytes from `offset` on; empty at the end of the stream.
    public func read(at offset: Int, limit: Int) throws(Problem) -> [UInt8] {
        var problem: Problem?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            do throws(Problem) {
                count = try read(at: offset, into: UnsafeMutableRawBufferPointer(buffer))
            } catch {
                problem = error
            }
        }
        if let problem { throw problem }
        return bytes
    }

    /// Fills `buffer` from `offset` on and returns how many bytes it got: 0 at the end of the stream, fewer than fit at the end of a segment.
    public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Problem) -> Int {
        guard !buffer.isEmpty else { return 0 }
        let target = Target(buffer: buffer)
        return try state.withLock { (state) throws(Problem) in try state.read(at: offset, into: target.buffer) }
    }
}

extension LogStream {
    /// Filled before the call returns, and kept nowhere.
    private struct Target: @unchecked Sendable {
        let buffer: UnsafeMutableRawBufferPointer
    }

    private struct State {
        let folder: String
        var segments: [LogSegment]
        /// What was read last.
        var file: SegmentFile?

        init(folder: String) throws(Problem) {
            self.folder = folder
            segments = try Self.list(folder)
        }

        static func list(_ folder: String) throws(Problem) -> [LogSegment] {
            try File.isThere(folder) ? LogSegment.stream(of: try File.list(folder)) : []
        }

        func path(of segment: LogSegment) -> String { "\(folder)/\(segment.name)" }

        mutating func refresh() throws(Problem) {
            segments = try Self.list(folder)
            file = nil
        }

        /// Opened again only where another segment was read last.
        mutating func open(_ segment: LogSegment) throws(Errno) -> SegmentFile {
            if let file, file.segment == segment { return file }
            let file = try SegmentFile(segment, at: path(of: segment))
            self.file = file
            return file
        }

        /// How often a folder is listed anew because what it had is not there any more when it is opened.
        private static let tries = 5

        /// Where a segment was sealed, removed or begun since the folder was listed, it is listed once more.
        mutating func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Problem) -> Int {
            if let count = try? readOnce(at: offset, into: buffer), count > 0 { return count }
            return try readAnew(at: offset, into: buffer, tries: Self.tries)
        }

        private mutating func readAnew(
            at offset: Int, into buffer: UnsafeMutableRawBufferPointer, tries: Int
        ) throws(Problem) -> Int {
            try refresh()
            if let first = segments.first?.offset, offset < first {
                throw Problem(
                    "bytes \(offset) to \(first - 1) of the log are not kept any more", hint: "go on from \(first)")
            }
            guard let index = index(of: offset) else { return 0 }
            let count: Int
            do throws(Errno) {
                count = try readOnce(at: offset, into: buffer)
            } catch {
                if error.code == ENOENT && tries > 1 { return try readAnew(at: offset, into: buffer, tries: tries - 1) }
                throw Problem("read \"\(path(of: segments[index]))\"", errno: error.code)
            }
            if count == 0, let next = end(at: index), !isCutOff(at: index) {
                throw Problem(
                    "the log lacks bytes \(offset) to \(next - 1)",
                    hint: "\"\(path(of: segments[index]))\" is shorter than it was")
            }
            return count
        }

        private mutating func readOnce(
            at offset: Int, into buffer: UnsafeMutableRawBufferPointer
        ) throws(Errno) -> Int {
            guard let index = index(of: offset) else { return 0 }
            let segment = segments[index]
            let limit = min(buffer.count, end(at: index).map { $0 - offset } ?? .max)
            return try open(segment).read(
                at: offset - segment.offset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<limit]))
        }

        /// Whether the log ends in this segment although the attempt had begun another: the host died, kept that one, and lost the end of this.
        private func isCutOff(at index: Int) -> Bool {
            guard index + 1 < segments.endIndex, !segments[index].isCompressed,
                segments[index].attempt == segments[index + 1].attempt,
                let size = File.status(path(of: segments[index]))?.size
            else { return false }
            return segments[index].offset + size < segments[index + 1].offset
        }

        private func index(of offset: Int) -> Int? { segments.lastIndex { $0.offset <= offset } }

        /// Where the segment's bytes end; nil of the last one, which may grow.
        private func end(at index: Int) -> Int? {
            index + 1 < segments.endIndex ? segments[index + 1].offset : nil
        }

        mutating func end(tries: Int = tries) throws(Problem) -> Int {
            try refresh()
            guard let last = segments.last else { return 0 }
            if let index = segments.indices.first(where: { isCutOff(at: $0) }) {
                return segments[index].offset + (File.status(path(of: segments[index]))?.size ?? 0)
            }
            do throws(Errno) {
                return last.offset + (try open(last).length())
            } catch {
                if error.code == ENOENT && tries > 1 { return try end(tries: tries - 1) }
                throw Problem("read \"\(path(of: last))\"", errno: error.code)
            }
        }
    }
}
