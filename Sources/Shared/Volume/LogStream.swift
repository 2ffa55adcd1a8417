internal import Synchronization

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Reads the log of a run from the segments on its volume as one stream of bytes.
///
/// Segments may be written, sealed and removed at the same time. A segment's bytes end where the next segment begins; a
/// stale attempt may have written more. Each call blocks. A read is cheap if it begins where the last one ended. One
/// stream has one reader.
public final class LogStream: Sendable {
    private let state: Mutex<State>

    /// Finds the present segments of `run`; later ones are found on demand. The stream is empty if there is no log.
    public init(of run: RunFolder) throws(Problem) {
        state = Mutex(try State(folder: run.logs))
    }

    /// The offset of the first byte that still exists.
    public var begin: Int { state.withLock { $0.segments.first?.offset ?? 0 } }

    /// The offset after the last byte.
    public var end: Int {
        get throws(Problem) { try state.withLock { (state) throws(Problem) in try state.end() } }
    }

    /// Brings the segments that are not sealed yet to stable storage.
    public func sync() throws(Problem) {
        try state.withLock { (state) throws(Problem) in
            for segment in state.segments where !segment.isCompressed { try File.sync(state.path(of: segment)) }
        }
    }

    /// Whether the last byte ends a line. True if the log is empty.
    public var endsLine: Bool {
        get throws(Problem) {
            let end = try self.end
            return end == begin ? true : try read(at: end - 1, limit: 1) == [UInt8(ascii: "\n")]
        }
    }

    /// Returns up to `limit` bytes from `offset` on; none at the end of the stream.
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

    /// Fills `buffer` from `offset` on. Returns the number of bytes: 0 at the end of the stream, fewer than fit at the
    /// end of a segment.
    public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Problem) -> Int {
        guard !buffer.isEmpty else { return 0 }
        let target = Target(buffer: buffer)
        return try state.withLock { (state) throws(Problem) in try state.read(at: offset, into: target.buffer) }
    }
}

extension LogStream {
    /// Safe to send: the buffer is filled before the call returns, and nothing keeps it.
    private struct Target: @unchecked Sendable {
        let buffer: UnsafeMutableRawBufferPointer
    }

    private struct State {
        let folder: String
        var segments: [LogSegment]
        /// The segment of the last read.
        var file: SegmentFile?

        init(folder: String) throws(Problem) {
            self.folder = folder
            segments = try Self.list(folder)
        }

        static func list(_ folder: String) throws(Problem) -> [LogSegment] {
            try File.exists(folder) ? LogSegment.stream(of: try File.listFiles(folder)) : []
        }

        func path(of segment: LogSegment) -> String { "\(folder)/\(segment.name)" }

        mutating func refresh() throws(Problem) {
            segments = try Self.list(folder)
            file = nil
        }

        /// Opens a segment, or returns the open one if that was read last.
        mutating func open(_ segment: LogSegment) throws(Errno) -> SegmentFile {
            if let file, file.segment == segment { return file }
            let file = try SegmentFile(segment, at: path(of: segment))
            self.file = file
            return file
        }

        /// The number of times that the folder is listed again if a listed segment is absent when it is opened.
        private static let maxTries = 5

        /// Lists the folder again if a segment was sealed, removed or begun since it was listed.
        mutating func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Problem) -> Int {
            if let count = try? readOnce(at: offset, into: buffer), count > 0 { return count }
            return try readAnew(at: offset, into: buffer, tries: Self.maxTries)
        }

        private mutating func readAnew(
            at offset: Int, into buffer: UnsafeMutableRawBufferPointer, tries: Int
        ) throws(Problem) -> Int {
            try refresh()
            if let first = segments.first?.offset, offset < first {
                throw Problem(
                    "bytes \(offset) to \(first - 1) of the log were removed", hint: "resume at byte \(first)")
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

        /// Whether the end of this segment was lost although its attempt had begun the next one. A host that dies can
        /// keep the next segment and lose the end of this one. The log then ends here.
        private func isCutOff(at index: Int) -> Bool {
            guard index + 1 < segments.endIndex, !segments[index].isCompressed,
                segments[index].attempt == segments[index + 1].attempt,
                let size = File.status(path(of: segments[index]))?.size
            else { return false }
            return segments[index].offset + size < segments[index + 1].offset
        }

        private func index(of offset: Int) -> Int? { segments.lastIndex { $0.offset <= offset } }

        /// Returns the offset after the segment's bytes; nil for the last segment, which may grow.
        private func end(at index: Int) -> Int? {
            index + 1 < segments.endIndex ? segments[index + 1].offset : nil
        }

        mutating func end(tries: Int = maxTries) throws(Problem) -> Int {
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
