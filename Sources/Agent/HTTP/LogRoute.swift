internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1
internal import Shared

/// `GET /v1/log`: the log's bytes, by range, from a time on, or followed as they come.
struct LogRoute: Sendable {
    /// The timeout for the first bytes, and for the volume's answer before that.
    private static let timeout: Duration = .seconds(10)

    private let work: OpenAttempt
    private let reader: LogReader

    init(work: OpenAttempt, pieces: LogPieces) {
        self.work = work
        reader = LogReader(of: work.run, pieces: pieces)
    }

    func respond(to request: Request) async throws -> Response {
        let progress = work.log.progress
        let end = progress.end
        let begin = try await timely { try await reader.begin }
        let since = try await offset(since: request.query["since"]).map { max(begin, min($0, end)) }
        var headers = [
            ("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes"), ("Cache-Control", "no-store"),
            (APIHeader.logStream, work.claim.stream), (APIHeader.logDurable, String(progress.durable)),
        ]
        if let trouble = work.log.trouble { headers.append((APIHeader.logTrouble, trouble)) }
        if request.query["follow"] == "1" {
            let from = try request.number("from") ?? since ?? end
            if let cut = work.claims.cut(of: request.query["stream"], before: from) {
                return Self.resume(from: cut, .conflict, "bytes \(cut) to \(from - 1) were lost with a pod")
            }
            guard from <= end else {
                throw APIError(.rangeNotSatisfiable, "the log ends at byte \(end), before \(from)")
            }
            if from < begin { return Self.gone(from..<begin) }
            try await prepare(from..<end)
            headers.append((APIHeader.logOffset, String(from)))
            return Response(headers: headers, body: .stream(length: nil) { try await follow(from: from, into: $0) })
        }
        let range: Range<Int>?
        do {
            range = try ByteRange.parse(request.headers.first(name: "Range"), begin: begin, end: end)
        } catch {
            return .error(error, headers: [("Content-Range", "bytes */\(end)")])
        }
        if let range {
            headers.append(("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(end)"))
        } else if let since {
            headers.append((APIHeader.logOffset, String(since)))
        }
        let wanted = range ?? (since ?? 0)..<end
        if wanted.lowerBound < begin { return Self.gone(wanted.lowerBound..<begin) }
        try await prepare(wanted)
        return Response(
            status: range == nil ? 200 : 206, headers: headers,
            body: .stream(length: wanted.count) { try await copy(wanted, into: $0) })
    }

    /// Reads the first bytes, so that an error of the volume can still be the answer.
    private func prepare(_ range: Range<Int>) async throws {
        guard !range.isEmpty else { return }
        _ = try await timely { try await reader.read(at: range.lowerBound, before: range.upperBound) }
    }

    private func timely<Value: Sendable>(_ body: @escaping @Sendable () async throws -> Value) async throws -> Value {
        guard let value = try await withTimeout(Self.timeout, body) else {
            throw APIError(.unavailable, "the volume does not answer", hint: "ask again in a minute")
        }
        return value
    }

    private static func gone(_ bytes: Range<Int>) -> Response {
        resume(
            from: bytes.upperBound, .gone,
            "bytes \(bytes.lowerBound) to \(bytes.upperBound - 1) are not kept any more")
    }

    private static func resume(from offset: Int, _ code: APIError.Code, _ message: String) -> Response {
        .error(
            APIError(code, message, hint: "continue at \(offset)"), headers: [(APIHeader.logOffset, String(offset))])
    }

    /// Returns the offset of bytes of the last seconds, or since a time such as `2026-11-21T10:00:00Z`.
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
        return try await timely { try await reader.offset(at: time) }
    }

    private func follow(from: Int, into writer: ResponseWriter) async throws {
        // The copier stops between two writes, so the response ends at a byte the client has seen.
        _ = try await FollowedResponse.run {
            var offset = from
            while let end = try await work.log.progress.end(beyond: offset) {
                try await copy(offset..<end, into: writer)
                offset = end
            }
        }
    }

    private func copy(_ range: Range<Int>, into writer: ResponseWriter) async throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            try Task.checkCancellation()
            let bytes = try await reader.read(at: offset, before: range.upperBound)
            try await writer.write(bytes)
            offset += bytes.readableBytes
        }
    }
}
