import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// Strangers at the API: requests that their heads refuse, and connections that ask for nothing.
@Suite struct ConnectionGateTests {
    private static let token = "\(APIHeader.token): \(TestAgent.token)"
    private let run: TestRun

    init() throws { run = try TestRun() }

    private func agent(_ change: (inout ServerLimits) -> Void = { _ in }) async throws -> TestAgent {
        var limits = ServerLimits()
        change(&limits)
        return try await TestAgent(run: run, limits: limits)
    }

    private func receive(_ client: RawClient) async throws -> String {
        try await within(.seconds(60), "the end of the connection") {
            try await DedicatedThread.run { try client.receiveAll().text }
        }
    }

    /// Waits until the server has taken the connection and knows that it is silent.
    private func silent(_ agent: TestAgent) async throws -> RawClient {
        let client = try RawClient(port: agent.server.port)
        try client.send("HEAD /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        _ = try await within(.seconds(60), "the response") {
            try await DedicatedThread.run { try client.receive(limit: 4096) }
        }
        return client
    }

    @Test("a request without the token gets 401, and the server reads no byte of its body")
    func unreadBody() async throws {
        let agent = try await agent()
        let client = try RawClient(port: agent.server.port)
        try client.send("POST /v1/stop HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\n")
        let answer = try await receive(client)
        #expect(answer.hasPrefix("HTTP/1.1 401 "))
        #expect(answer.contains("Connection: close\r\n"))
    }

    /// LONG stands for 17 kB, MANY for 64 fields.
    @Test(
        "a request is judged by its head",
        arguments: [
            ("GET /v1/status HTTP/1.1\r\n\(token)", "400"),
            ("GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\(token)", "400"),
            ("GET /v1/health HTTP/1.0", "503"),
            ("GET http://x/v1/health HTTP/1.1\r\nHost: x", "503"),
            ("HEAD /v1/health HTTP/1.1\r\nHost: x", "503"),
            ("GET /v1/health HTTP/1.1\r\nHost: x\r\nContent-Length: 5", "413"),
            ("POST /v1/stop HTTP/1.1\r\nHost: x\r\nExpect: a-cake\r\n\(token)", "417"),
            ("GET /v1/none HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\(token)", "404"),
            ("GET /v1/none HTTP/1.1\r\nHost: x\r\nAuthorization: Basic x\r\nauthorization: bearer the token", "404"),
            ("GET /v1/none HTTP/1.1\r\nHost: x\r\n\(APIHeader.token): x\r\n\(token)", "404"),
            ("GET /v1/none HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n\(APIHeader.token): y", "401"),
            ("GET /v1/none HTTP/1.1\r\nHost: x\r\nX: LONG\r\n\(token)", "431"),
            ("GET /LONG HTTP/1.1\r\nHost: x\r\n\(token)", "431"),
            ("GET / HTTP/1.1\r\nHost: x\r\nMANY\(token)", "431"),
        ])
    func head(_ head: String, _ status: String) async throws {
        let agent = try await agent()
        let client = try RawClient(port: agent.server.port)
        let filled = head.replacing("LONG", with: String(repeating: "a", count: 17 << 10))
            .replacing("MANY", with: String(repeating: "X: y\r\n", count: 64))
        try client.send(filled + "\r\n\r\n")
        client.end()
        #expect(try await receive(client).split(separator: " ").dropFirst().first.map(String.init) == status)
    }

    @Test("a client that has ended its side of the connection gets its response")
    func halfClosed() async throws {
        let agent = try await agent()
        let client = try RawClient(port: agent.server.port)
        try client.send("GET /v1/none HTTP/1.1\r\nHost: x\r\n\(Self.token)\r\n\r\n")
        client.end()
        #expect(try await receive(client).hasPrefix("HTTP/1.1 404 "))
    }

    @Test("the longest idle connection without a token gives way to a newcomer")
    func eviction() async throws {
        let agent = try await agent { ($0.unproven, $0.burst) = (2, .zero) }
        let (first, second) = (try await silent(agent), try await silent(agent))
        let third = try await silent(agent)
        #expect(try await receive(first) == "")
        for client in [second, third] {
            try client.send("GET /v1/none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\(Self.token)\r\n\r\n")
            #expect(try await receive(client).hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test("a hundred silent connections keep no client with the token out")
    func crowd() async throws {
        let agent = try await agent { $0.unproven = 8 }
        let crowd = try (0..<100).map { _ in try RawClient(port: agent.server.port) }
        #expect(try await agent.send("GET", "/v1/none").status == 404)
        withExtendedLifetime(crowd) {}
    }

    @Test("the server answers 503 while every connection with the token is in use")
    func provenFull() async throws {
        let agent = try await agent { ($0.connections, $0.unproven) = (2, 4) }
        let work = try agent.open(try run.attempt(1))
        await work.log.sync()
        let follower = try RawClient(port: agent.server.port)
        try follower.send("GET /v1/log?follow=1&from=0 HTTP/1.1\r\nHost: x\r\n\(Self.token)\r\n\r\n")
        _ = try await within(.seconds(60), "the response") {
            try await DedicatedThread.run { try follower.receive(limit: 1) }
        }
        #expect(try await agent.send("GET", Endpoint.status).status == 503)
        #expect(try await agent.transport.send(HTTPRequest("GET", agent.address + Endpoint.health)).status == 200)
        work.log.progress.close()
    }

    @Test("a connection that sends no whole head in time is closed, however many bytes it sends")
    func slowHead() async throws {
        let agent = try await agent { $0.firstHead = .milliseconds(300) }
        let client = try RawClient(port: agent.server.port)
        try client.send("GET /v1/health HTTP/1.1\r\nX: ")
        #expect(try await receive(client) == "")
    }

    @Test("a connection without a token that sends more than a few heads at once is closed")
    func tooManyBytes() async throws {
        let agent = try await agent { $0.unprovenBytes = 1000 }
        let client = try RawClient(port: agent.server.port)
        try client.send(String(repeating: "\r\n", count: 1000))
        #expect(try await receive(client) == "")
    }

    @Test("the server reports refusals in one line for each interval")
    func refusals() async throws {
        let lines = Mutex<[String]>([])
        let refusals = Refusals(interval: .milliseconds(50)) { line in lines.withLock { $0.append(line) } }
        for _ in 0..<1000 { refusals.count(.badToken) }
        refusals.count(.tooSlow)
        try await within(.seconds(60), "the line") {
            while lines.withLock(\.isEmpty) { try await Task.sleep(for: .milliseconds(5)) }
        }
        #expect(
            lines.withLock { $0 } == [
                "the API refused in the last 0 s: 1000 requests without the right token, "
                    + "1 connections that sent no request in time"
            ])
    }

    @Test("a server leaves descriptors to the journal and to children", arguments: [(1024, 256), (512, 128), (64, 16)])
    func descriptors(_ limit: Int, _ connections: Int) {
        #expect(ServerLimits.fitting(descriptors: limit).connections == connections)
    }
}
