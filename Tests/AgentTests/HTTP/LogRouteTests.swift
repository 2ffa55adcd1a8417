import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Agent

/// The log by ranges: its bytes and the headers about them.
@Suite struct LogRouteTests {
    private let run: TestRun
    private let agent: TestAgent
    private let work: OpenAttempt
    private let log: [UInt8]

    init() async throws {
        run = try TestRun()
        agent = try await TestAgent(run: run)
        try run.attempt(1)
        try run.log("of an earlier attempt\n", from: 0, attempt: 1)
        work = try agent.open(try run.attempt(2, logStart: 22))
        work.log.append((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }[...])
        await work.log.sync()
        log = try run.log()
    }

    private func get(_ range: String? = nil, method: String = "GET") async throws -> HTTPResponse {
        try await agent.send(method, Endpoint.log, headers: range.map { [(name: "Range", value: $0)] } ?? [])
    }

    @Test("a request without a range gets the whole log, its stream id and its durable end")
    func wholeLog() async throws {
        let response = try await get()
        #expect(response.status == 200)
        #expect(response.body == log)
        #expect(response.headers["Content-Length"] == String(log.count))
        #expect(response.headers[APIHeader.logStream] == "stream2")
        #expect(response.headers[APIHeader.logDurable] == String(log.count))
        #expect(response.headers["Accept-Ranges"] == "bytes")
        #expect(response.headers["Content-Type"] == "application/octet-stream")
    }

    @Test("a request with a range gets exactly those bytes of the log")
    func ranges() async throws {
        let end = log.count
        let ranges = [
            ("bytes=0-", 0..<end), ("bytes=10-29", 10..<30), ("bytes=21-22", 21..<23), ("bytes=-1", end - 1..<end),
            ("bytes=-999999999", 0..<end), ("bytes=\(end - 1)-", end - 1..<end), ("bytes=5-999999999", 5..<end),
        ]
        for (header, range) in ranges {
            let response = try await get(header)
            #expect(response.status == 206)
            #expect(response.body == Array(log[range]))
            #expect(
                response.headers["Content-Range"] == "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(end)")
        }
    }

    @Test("a range beyond the end of the log is answered with 416")
    func beyondTheEnd() async throws {
        let response = try await get("bytes=\(log.count)-")
        #expect(response.status == 416)
        #expect(try JSON.decode(APIError.self, from: response.body).code == .rangeNotSatisfiable)
    }

    @Test("a second request from where the first one ended completes the log")
    func twoRequests() async throws {
        let before = try await get()
        work.log.say(.captured("more"))
        await work.log.sync()
        let rest = try await get("bytes=\(before.body.count)-")
        #expect(before.body + rest.body == (try run.log()))
    }

    @Test("bytes that a stale attempt still writes are not part of the log")
    func staleAttempt() async throws {
        try run.log("of nobody", from: 0, attempt: 1)
        #expect(try await get().body == log)
    }

    // MARK: - since a time

    private func get(since: String) async throws -> HTTPResponse {
        try await agent.send("GET", "\(Endpoint.log)?since=\(since)")
    }

    @Test("a request since a time begins at the log's first byte from then")
    func since() async throws {
        let entries = [(1_767_225_600, 0), (1_767_225_700, 10)].map { LogIndex.Entry(time: $0, offset: $1) }
        try File.write(entries.flatMap(\.line), over: run.folders.logIndexPath(from: 0, attempt: 1))
        for (time, offset) in [("2026-01-01T00:00:00Z", 0), ("2026-01-01T00:01:40Z", 10), ("0", log.count)] {
            let response = try await get(since: time)
            #expect(response.status == 200)
            if offset < log.count {
                #expect(response.headers[APIHeader.logOffset] == String(offset))
                #expect(response.body == Array(log[offset...]))
            } else {
                // This attempt's own bytes were written a moment ago.
                #expect(response.headers[APIHeader.logOffset] == "22")
            }
        }
        #expect(try await get(since: "3600").headers[APIHeader.logOffset] == "10")
    }

    @Test("a request since something that is no time is answered with 400", arguments: ["", "-1", "yesterday", "10m"])
    func sinceNoTime(text: String) async throws {
        let response = try await get(since: text)
        #expect(response.status == 400)
    }

    // MARK: - removed bytes

    @Test("a request for removed bytes of the log is answered with 410 and the first kept offset")
    func removedBytes() async throws {
        try await eventuallyTrue("the first attempt's segment sealed") {
            let plain = run.folders.liveSegmentPath(from: 0, attempt: 1)
            return try File.exists(run.folders.sealedSegmentPath(from: 0)) && !File.exists(plain)
        }
        #expect(try await get().body == log, "it is sealed and there")
        try File.remove(run.folders.sealedSegmentPath(from: 0))
        for range in [nil, "bytes=0-", "bytes=21-30"] {
            let response = try await get(range)
            #expect(response.status == 410)
            #expect(response.headers[APIHeader.logOffset] == "22")
            let error = try JSON.decode(APIError.self, from: response.body)
            #expect(error.code == .gone && error.hint == "continue at 22")
        }
        #expect(try await agent.send("GET", "\(Endpoint.log)?follow=1&from=0").status == 410)
        #expect(try await get("bytes=22-").body == Array(log[22...]))
        #expect(try await get("bytes=-1000").body == Array(log.suffix(1000)))
        let all = try await get("bytes=-9999999")
        #expect(all.body == Array(log[22...]))
        #expect(all.headers["Content-Range"] == "bytes 22-\(log.count - 1)/\(log.count)")
        #expect(try await get(since: "99999999").headers[APIHeader.logOffset] == "22")
    }
}
