internal import NIOHTTP1
internal import Shared

/// `GET /v1/log`: the log's bytes, by range or followed as they come.
struct LogRoute: Sendable {
    /// A followed response ends after this time and is asked for again: proxies cut long ones, some at 100 s.
    static let followLimit: Duration = .seconds(60)
    /// Bytes in one write.
    private static let chunk = 256 << 10

    let work: Work

    func respond(to request: Request) async throws -> Response {
        let progress = work.log.progress
        let end = progress.end
        let stream = try await DedicatedThread.run { [run = work.run] in try LogStream(of: run) }
        var headers = [
            ("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"), ("Cache-Control", "no-store"),
            (APIHeader.logStream, work.claim.stream), (APIHeader.logDurable, String(progress.durable)),
        ]
        if request.query["follow"] == "1" {
            let from = try request.number("from") ?? end
            if let cut = work.claims.cut(of: request.query["stream"], before: from) {
                let error = APIError(
                    .conflict, "bytes \(cut) to \(from - 1) were lost with a pod", hint: "go on from \(cut)")
                return .error(error, headers: [(APIHeader.logOffset, String(cut))])
            }
            guard from <= end else {
                throw APIError(.rangeNotSatisfiable, "the log ends at byte \(end), before \(from)")
            }
            headers.append((APIHeader.logOffset, String(from)))
            return Response(
                headers: headers, body: .stream(length: nil) { try await follow(stream, from: from, into: $0) })
        }
        guard let range = try ByteRange.parse(request.headers.first(name: "Range"), size: end) else {
            return response(200, headers, stream, 0..<end)
        }
        headers.append(("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(end)"))
        return response(206, headers, stream, range)
    }

    private func response(
        _ status: Int, _ headers: [(String, String)], _ stream: LogStream, _ range: Range<Int>
    ) -> Response {
        Response(
            status: status, headers: headers,
            body: .stream(length: range.count) { writer in
                var offset = range.lowerBound
                while offset < range.upperBound {
                    offset += try await copy(stream, from: offset, to: range.upperBound, into: writer)
                }
            })
    }

    private func follow(_ stream: LogStream, from: Int, into writer: ResponseWriter) async throws {
        try await withThrowingTaskGroup { group in
            group.addTask { try? await Task.sleep(for: Self.followLimit) }
            group.addTask {
                var offset = from
                while let end = try await work.log.progress.end(beyond: offset) {
                    while offset < end {
                        offset += try await copy(stream, from: offset, to: end, into: writer)
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
    private func copy(_ stream: LogStream, from offset: Int, to end: Int, into writer: ResponseWriter) async throws
        -> Int
    {
        let bytes = try await DedicatedThread.run { try stream.read(at: offset, limit: min(Self.chunk, end - offset)) }
        guard !bytes.isEmpty else { throw Problem("the log ends at byte \(offset), before \(end)") }
        try await writer.write(bytes)
        return bytes.count
    }
}

/// A byte range of RFC 9110, section 14.1.2, in the two forms that a log needs and the closed one.
enum ByteRange {
    /// nil where there is no such header, or one that is to be ignored: several ranges, or another unit.
    static func parse(_ header: String?, size: Int) throws(APIError) -> Range<Int>? {
        guard let header, header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let sides = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { return nil }
        switch (Int(sides[0]), Int(sides[1])) {
        case (let first?, let last?) where first >= 0 && last >= first && first < size:
            return first..<min(last, size - 1) + 1
        case (let first?, nil) where first >= 0 && first < size && sides[1].isEmpty:
            return first..<size
        case (nil, let count?) where sides[0].isEmpty && count > 0 && size > 0:
            return max(0, size - count)..<size
        default:
            throw APIError(.rangeNotSatisfiable, "the log has \(size) bytes, \"\(header)\" is not among them")
        }
    }
}
