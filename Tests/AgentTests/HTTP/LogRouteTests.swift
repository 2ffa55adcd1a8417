import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Agent

/// The log by ranges: the bytes and what the headers say of them.
@Suite struct LogRouteTests {
    private let run: TestRun
    private let agent: TestAgent
    private let work: Work
    private let log: [UInt8]

    init() async throws {
        run = try TestRun()
        agent = try await TestAgent(run: run)
        try run.attempt(1)
        try run.log("of an earlier attempt\n", from: 0, attempt: 1)
        work = try agent.open(try run.attempt(2, logBegan: 22))
        work.log.append((0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }[...])
        await work.log.sync()
        log = try run.log()
    }

    private func get(_ range: String? = nil, method: String = "GET") async throws -> HTTPResponse {
        try await agent.send(method, Endpoint.log, headers: range.map { [(name: "Range", value: $0)] } ?? [])
    }

    @Test func all() async throws {
        let response = try await get()
        #expect(response.status == 200)
        #expect(response.body == log)
        #expect(response.headers["Content-Length"] == String(log.count))
        #expect(response.headers[APIHeader.logStream] == "stream2")
        #expect(response.headers[APIHeader.logDurable] == String(log.count))
        #expect(response.headers["Accept-Ranges"] == "bytes")
        #expect(response.headers["Content-Type"] == "application/octet-stream")
    }

    @Test func ranges() async throws {
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

    @Test func beyondTheEnd() async throws {
        let response = try await get("bytes=\(log.count)-")
        #expect(response.status == 416)
        #expect(try JSON.decode(APIError.self, from: response.body).code == .rangeNotSatisfiable)
    }

    @Test func whatThereIsByTheTimeOfTheAnswer() async throws {
        let before = try await get()
        work.log.say("more")
        await work.log.sync()
        let rest = try await get("bytes=\(before.body.count)-")
        #expect(before.body + rest.body == (try run.log()))
    }

    /// A stale agent of an earlier attempt goes on writing.
    @Test func whatAStaleAttemptWritesIsNotPartOfIt() async throws {
        try run.log("of nobody", from: 0, attempt: 1)
        #expect(try await get().body == log)
    }
}
