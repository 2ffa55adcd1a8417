internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import Shared

/// `GET /v1/log`: the log's bytes, by range, from a time on, or followed as they come.
struct LogRoute: Sendable {
    /// A followed response ends after this time and is asked for again: proxies cut long ones, some at 100 s.
    static let followLimit: Duration = .seconds(60)
    /// Bytes in one write.
    private static let chunk = 128 << 10

    let work: Work

    func respond(to request: Request) async throws -> Response {
        let reader = try LogReader(of: work.run)
        let progress = work.log.progress
        let end = progress.end
        let begin = try await reader.begin
        let since = try await offset(since: request.query["since"]).map { max(begin, min($0, end)) }
        var headers = [
            ("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"), ("Cache-Control", "no-store"),
            (APIHeader.logStream, work.claim.stream), (APIHeader.logDurable, String(progress.durable)),
        ]
        if let trouble = work.log.trouble { headers.append((APIHeader.logTrouble, trouble)) }
        if request.query["follow"] == "1" {
            let from = try request.number("from") ?? since ?? end
            if let lost = lostBytes(to: request.query["stream"], from: from) {
                return Self.goOn(
                    from: lost.lowerBound,
                    .conflict, "bytes \(lost.lowerBound) to \(lost.upperBound - 1) were lost with a pod")
            }
            guard from <= end else {
                throw APIError(.rangeNotSatisfiable, "the log ends at byte \(end), before \(from)")
            }
            if from < begin { return Self.gone(from..<begin) }
            headers.append((APIHeader.logOffset, String(from)))
            return Response(
                headers: headers, body: .stream(length: nil) { try await follow(reader, from: from, into: $0) })
        }
        let range = try ByteRange.parse(request.headers.first(name: "Range"), begin: begin, end: end)
        if let range {
            headers.append(("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(end)"))
        } else if let since {
            headers.append((APIHeader.logOffset, String(since)))
        }
        let wanted = range ?? (since ?? 0)..<end
        if wanted.lowerBound < begin { return Self.gone(wanted.lowerBound..<begin) }
        return Response(
            status: range == nil ? 200 : 206, headers: headers,
            body: .stream(length: wanted.count) { writer in
                var offset = wanted.lowerBound
                while offset < wanted.upperBound {
                    offset += try await copy(reader, from: offset, to: wanted.upperBound, into: writer)
                }
            })
    }

    private static func gone(_ bytes: Range<Int>) -> Response {
        goOn(
            from: bytes.upperBound, .gone,
            "bytes \(bytes.lowerBound) to \(bytes.upperBound - 1) are not kept any more")
    }

    private static func goOn(from offset: Int, _ code: APIError.Code, _ message: String) -> Response {
        .error(
            APIError(code, message, hint: "go on from \(offset)"), headers: [(APIHeader.logOffset, String(offset))])
    }

    /// What came within so many seconds, or since a time such as `2026-11-21T10:00:00Z`.
    private func offset(since text: String?) async throws -> Int? {
        guard let text else { return nil }
        let time: Int
        if let seconds = Int(text), seconds >= 0 {
            time = Int(Date().timeIntervalSince1970) - min(seconds, 1 << 40)
        } else if let date = try? Date(text, strategy: .iso8601) {
            time = Int(date.timeIntervalSince1970)
        } else {
            throw APIError(
                .badRequest, "\"since=\(text)\" is neither a number of seconds nor a time",
                hint: "such as since=600 or since=2026-11-21T10:00:00Z")
        }
        return try await DedicatedThread.run { [run = work.run] in try LogIndex.offset(at: time, in: run) }
    }

    private func follow(_ reader: LogReader, from: Int, into writer: ResponseWriter) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try? await Task.sleep(for: Self.followLimit) }
            group.addTask {
                var offset = from
                while let end = try await work.log.progress.end(beyond: offset) {
                    while offset < end {
                        offset += try await copy(reader, from: offset, to: end, into: writer)
                    }
                }
            }
            try await group.next()
            group.cancelAll()
            // The copier stops between two writes, so the response ends at a byte the client has seen.
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }

    /// Copies one piece and returns its length in bytes.
    private func copy(_ reader: LogReader, from offset: Int, to end: Int, into writer: ResponseWriter) async throws
        -> Int
    {
        let bytes = try await reader.read(at: offset, limit: min(Self.chunk, end - offset))
        guard bytes.readableBytes > 0 else { throw Problem("the log ends at byte \(offset), before \(end)") }
        try await writer.write(bytes)
        return bytes.readableBytes
    }

    /// The bytes that a follower of the attempt that `stream` names has, and the log has not: they were served and
    /// then lost with their pod before they were synced.
    private func lostBytes(to stream: String?, from: Int) -> Range<Int>? {
        guard let stream, let index = work.claims.firstIndex(where: { $0.stream == stream }),
            let kept = work.claims[index...].dropFirst().map(\.logBegan).min(), from > kept
        else { return nil }
        return kept..<from
    }
}

/// Reads the log for one response, on a thread of its own: a call on a hung volume holds up nobody else.
private final class LogReader: Sendable {
    private let run: RunFolder
    private let thread: JobThread
    private let stream = Monitor<LogStream?>(nil)

    init(of run: RunFolder) throws(Problem) {
        self.run = run
        thread = try JobThread()
    }

    /// The offset of the first byte that is kept.
    var begin: Int {
        get async throws { try await thread.run { [self] in try opened.begin } }
    }

    func read(at offset: Int, limit: Int) async throws -> ByteBuffer {
        try await thread.run { [self] in
            var buffer = ByteBufferAllocator().buffer(capacity: limit)
            let stream = try opened
            try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: limit) { bytes in
                try stream.read(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<limit]))
            }
            return buffer
        }
    }

    private var opened: LogStream {
        get throws {
            if let stream = stream.read({ $0 }) { return stream }
            let opened = try LogStream(of: run)
            stream.update { $0 = opened }
            return opened
        }
    }
}

/// A byte range of RFC 9110, section 14.1.2, in the two forms that a log needs and the closed one.
enum ByteRange {
    /// Of a log that goes from `begin` to `end`. nil where there is no such header, or one that is to be ignored: several ranges, or another unit.
    static func parse(_ header: String?, begin: Int = 0, end: Int) throws(APIError) -> Range<Int>? {
        guard let header, header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let sides = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { return nil }
        switch (Int(sides[0]), Int(sides[1])) {
        case (let first?, let last?) where first >= 0 && last >= first && first < end:
            return first..<min(last, end - 1) + 1
        case (let first?, nil) where first >= 0 && first < end && sides[1].isEmpty:
            return first..<end
        case (nil, let count?) where sides[0].isEmpty && count > 0 && end > begin:
            return max(begin, end - count)..<end
        default:
            throw APIError(.rangeNotSatisfiable, "the log has \(end) bytes, \"\(header)\" is not among them")
        }
    }
}
