import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Agent

/// The log, followed while it is written.
@Suite struct FollowTests {
    private let run: TestRun
    private let agent: TestAgent

    init() async throws {
        run = try TestRun()
        agent = try await TestAgent(run: run)
    }

    /// All bytes of a followed response, up to its end.
    private func collect(_ exchange: HTTPExchange) async throws -> [UInt8] {
        try await within(.seconds(60), "the end of the response") {
            var bytes: [UInt8] = []
            for try await chunk in exchange.body { bytes += chunk }
            return bytes
        }
    }

    private func follow(_ offset: Int, _ stream: String? = nil) async throws -> HTTPExchange {
        try await within(.seconds(60), "the head") { [agent] in
            try await agent.client().followLog(from: offset, stream: stream)
        }
    }

    @Test("a follower gets each piece of the log at once, until the log is closed")
    func live() async throws {
        let work = try agent.open(try run.attempt(1))
        await work.log.sync()
        let header = try run.log().count
        let exchange = try await follow(0)
        #expect(exchange.head.headers[APIHeader.logOffset] == "0")
        #expect(exchange.head.headers[APIHeader.logStream] == "stream1")
        let seen = Monitor<[UInt8]>([])
        let reader = Task {
            for try await chunk in exchange.body { seen.update { $0 += chunk } }
        }
        try await eventuallyTrue(within: .seconds(60)) { seen.update { $0.count } == header }
        for number in 0..<20 {
            let piece = Array("piece \(number)\r".utf8)
            let wanted = seen.update { $0 } + piece
            work.log.append(piece[...])
            // Each piece arrives before the next one is written, so nothing is held back.
            try await eventuallyTrue(within: .seconds(60)) { seen.update { $0 == wanted } }
        }
        work.log.progress.close()
        try await within(.seconds(60), "the end") { try await reader.value }
        #expect(seen.update { $0 } == (try run.log()))
    }

    @Test("a follower may begin at any offset of the log, in any segment")
    func fromTheMiddle() async throws {
        try run.attempt(1)
        try run.log("0123456789", from: 0, attempt: 1)
        try run.attempt(2, logStart: 10)
        try run.log("", from: 10, attempt: 2)
        let work = try agent.open(try run.attempt(3, logStart: 10))
        for offset in [0, 3, 9, 10] {
            let exchange = try await follow(offset, "stream1")
            #expect(exchange.head.headers[APIHeader.logOffset] == String(offset))
            work.log.say(.captured("more after \(offset)"))
            await work.log.sync()
            let end = work.log.progress.end
            var bytes: [UInt8] = []
            for try await chunk in exchange.body {
                bytes += chunk
                if bytes.count >= end - offset { break }
            }
            #expect(bytes == Array(try run.log()[offset..<end]))
        }
    }

    @Test("a follower without an offset begins at the end of the log")
    func withoutOffset() async throws {
        let work = try agent.open(try run.attempt(1))
        await work.log.sync()
        let end = work.log.progress.end
        let exchange = try await agent.transport.open(
            HTTPRequest(
                "GET", agent.address + Endpoint.log + "?follow=1",
                headers: [(name: APIHeader.token, value: TestAgent.token)]))
        #expect(exchange.head.headers[APIHeader.logOffset] == String(end))
        work.log.append(Array("new".utf8)[...])
        await work.log.sync()
        work.log.progress.close()
        #expect(try await collect(exchange).text == "new")
    }

    @Test("eight followers at once all get exactly the bytes of the log")
    func eightFollowers() async throws {
        let work = try agent.open(try run.attempt(1))
        let readers = Task { [self] in
            try await withThrowingTaskGroup(of: [UInt8].self) { group in
                for _ in 0..<8 { group.addTask { try await collect(try await follow(0)) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        for number in 0..<2000 {
            work.log.say(.captured("line \(number) " + String(repeating: "x", count: number % 200)))
        }
        await work.log.sync()
        work.log.progress.close()
        let log = try run.log()
        let got = try await within(.seconds(60)) { try await readers.value }
        #expect(got.count == 8 && got.allSatisfy { $0 == log })
    }

    @Test("the server is quiet soon after its followers have the whole log")
    func quiet() async throws {
        let work = try agent.open(try run.attempt(1))
        let exchange = try await follow(0)
        let early = try await within(.seconds(60)) { [agent] in
            await agent.server.quiet(within: .milliseconds(100))
            return work.log.progress.end
        }
        _ = early
        work.log.progress.close()
        _ = try await collect(exchange)
        let start = ContinuousClock.now
        try await within(.seconds(60)) { [agent] in await agent.server.quiet(within: .seconds(20)) }
        #expect(start.duration(to: .now) < .seconds(10))
    }

    @Test("the server notices at the next byte that a follower has left")
    func leaves() async throws {
        let work = try agent.open(try run.attempt(1))
        do {
            let exchange = try await follow(0)
            for try await _ in exchange.body { break }
        }
        let quiet = Task { [agent] in await agent.server.quiet(within: .seconds(3600)) }
        let isQuiet = Monitor(false)
        Task {
            await quiet.value
            isQuiet.update { $0 = true }
        }
        try await eventuallyTrue(within: .seconds(60)) {
            work.log.append(Array("x".utf8)[...])
            return isQuiet.update { $0 }
        }
    }

    // MARK: - lost bytes

    private func cut(_ offset: Int, _ stream: String?) async throws -> Int? {
        do {
            _ = try await follow(offset, stream)
            return nil
        } catch let cut as LogCut {
            return cut.offset
        }
    }

    @Test("a follower that has bytes which were lost with a pod gets the offset of the cut")
    func lostBytes() async throws {
        try run.attempt(1)
        try run.log("01234", from: 0, attempt: 1)
        _ = try agent.open(try run.attempt(2, logStart: 5))
        #expect(try await cut(9, "stream1") == 5)
        #expect(try await cut(6, "stream1") == 5)
        #expect(try await cut(5, "stream1") == nil)
        #expect(try await cut(2, "stream1") == nil)
        // A follower that resumes at the cut follows the new stream.
        #expect(try await cut(5, "stream2") == nil)
        #expect(try await cut(9, "stream2") == nil)
        #expect(try await cut(9, nil) == nil)
        #expect(try await cut(9, "unknown") == nil)
    }

    @Test("a follower gets the lowest cut of all later attempts")
    func severalCuts() async throws {
        try run.attempt(1)
        try run.log("01234567", from: 0, attempt: 1)
        try run.attempt(2, logStart: 100)
        _ = try agent.open(try run.attempt(3, logStart: 8))
        #expect(try await cut(95, "stream1") == 8)
        #expect(try await cut(120, "stream1") == 8)
        #expect(try await cut(120, "stream2") == 8)
        #expect(try await cut(8, "stream1") == nil)
    }

    @Test("a follower's offset beyond the end of the log is an error, not a loss of bytes")
    func beyondTheEnd() async throws {
        let work = try agent.open(try run.attempt(1))
        await work.log.sync()
        let error = await #expect(throws: APIError.self) {
            try await follow(work.log.progress.end + 1, "stream1")
        }
        #expect(error?.code == .rangeNotSatisfiable)
        let word = try await agent.send("GET", Endpoint.log + "?follow=1&from=x")
        #expect(word.status == 400)
    }
}
