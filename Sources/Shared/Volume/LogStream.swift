#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A run's log as one stream of bytes, read from the segments on the volume.
///
/// A segment's bytes end where the next segment begins: what a stale attempt wrote beyond that is not part of the stream.
public struct LogStream: Sendable {
    private var segments: [Segment]

    private struct Segment {
        var offset: Int
        var path: String
    }

    /// The segments that `run` has now. A run without a log is an empty stream.
    public init(of run: RunFolder) throws(Problem) {
        guard File.exists(run.logs) else {
            segments = []
            return
        }
        segments = try File.list(run.logs).compactMap { name in
            guard name.hasSuffix(".log"), let offset = Int(name.prefix(20)) else { return nil }
            return Segment(offset: offset, path: "\(run.logs)/\(name)")
        }
    }

    /// The offset of the first byte that is kept.
    public var begin: Int { segments.first?.offset ?? 0 }

    /// The offset after the last byte.
    public var end: Int {
        segments.last.map { $0.offset + (File.status($0.path)?.size ?? 0) } ?? 0
    }

    /// Brings the last segment to stable storage.
    public func syncLast() throws(Problem) {
        if let last = segments.last { try File.sync(last.path) }
    }

    /// Whether the last byte ends a line; true of an empty log.
    public var endsLine: Bool {
        get throws(Problem) {
            let end = self.end
            return end == 0 ? true : try read(at: end - 1, limit: 1) == [UInt8(ascii: "\n")]
        }
    }

    /// Up to `limit` bytes from `offset` on; empty at the end of the stream.
    public func read(at offset: Int, limit: Int) throws(Problem) -> [UInt8] {
        // Of two segments with the same first byte the first one is empty.
        guard let index = segments.lastIndex(where: { $0.offset <= offset }) else { return [] }
        let segment = segments[index]
        let next = index + 1 < segments.endIndex ? segments[index + 1].offset : Int.max
        let bytes = try File.read(segment.path, at: offset - segment.offset, limit: Swift.min(limit, next - offset))
        if bytes.isEmpty && next < Int.max {
            throw Problem(
                "the log lacks bytes \(offset) to \(next - 1)", hint: "\"\(segment.path)\" is shorter than it was")
        }
        return bytes
    }
}
