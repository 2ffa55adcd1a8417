import Glibc
import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite("clients that do not read") struct StallTests {
    private let run: TestRun
    private let agent: TestAgent
    private let work: OpenAttempt
    private let log: [UInt8]

    /// The log is larger than the kernel's buffers for a connection.
    init() async throws {
        run = try TestRun()
        var limits = ServerLimits()
        limits.unacknowledged = .seconds(1)
        agent = try await TestAgent(run: run, limits: limits)
        work = try agent.open(try run.attempt(1))
        for _ in 0..<3 {
            work.log.append((0..<4 << 20).map { UInt8(truncatingIfNeeded: $0 &* 7) }[...])
            await work.log.sync()
        }
        log = try run.log()
    }

    private func ask(_ target: String) throws -> RawClient {
        let client = try RawClient(port: agent.server.port)
        try client.send("GET \(target) HTTP/1.1\r\nHost: x\r\n\(APIHeader.token): \(TestAgent.token)\r\n\r\n")
        return client
    }

    @Test("the server cuts off a client that does not read its response", arguments: ["?follow=1&from=0", ""])
    func cutOff(_ query: String) async throws {
        let client = try ask(Endpoint.log + query)
        // The client reads a byte of the head, so the response is under way.
        _ = try await within(.seconds(60), "the head") {
            try await DedicatedThread.run { try client.receive(limit: 1) }
        }
        let start = ContinuousClock.now
        await agent.server.quiet(within: .seconds(40))
        #expect(start.duration(to: .now) < .seconds(20))
        let end = try await within(.seconds(60), "the end of the connection") {
            try await DedicatedThread.run { try client.receiveAll() }
        }
        #expect(end.count < log.count)
    }

    @Test("a client that reads slowly gets the whole log")
    func slow() async throws {
        let client = try ask(Endpoint.log)
        let received = try await within(.seconds(60), "the whole log") { [log] in
            try await DedicatedThread.run {
                var count = 0
                let start = ContinuousClock.now
                while count < log.count {
                    // In all about three times as long as the server's timeout.
                    let due = Duration.seconds(3) * (Double(count) / Double(log.count))
                    let early = due - start.duration(to: .now)
                    if early > .zero { usleep(UInt32(early.milliseconds * 1000)) }
                    let piece = try client.receive(limit: 64 << 10).count
                    if piece == 0 { break }
                    count += piece
                }
                return count
            }
        }
        #expect(received >= log.count)
    }

    @Test("other clients get the log while twenty clients do not read")
    func others() async throws {
        let stalled = try (0..<20).map { _ in try ask(Endpoint.log + "?follow=1&from=0") }
        let whole = try await agent.send("GET", Endpoint.log, limit: 64 << 20)
        #expect(whole.body == log)
        #expect(try await agent.send("GET", Endpoint.status).status == 200)
        withExtendedLifetime(stalled) {}
    }
}
