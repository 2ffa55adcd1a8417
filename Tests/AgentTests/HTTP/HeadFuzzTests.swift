import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(2))) struct HeadFuzzTests {
    private static let pieces = [
        "GET ", "POST ", "HEAD ", "PUT ", "/v1/health", "/v1/status", "/v1/log?follow=1&from=-1", "/v1/stop",
        "/v1/files/..%2f",
        " HTTP/1.1\r\n", " HTTP/1.0\r\n", "Host: x\r\n", "Content-Length: 5\r\n", "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\n", "Expect: 100-continue\r\n", "Connection: close\r\n", "Range: bytes=9-\r\n",
        "Range: bytes=-99999999999999999999\r\n", "\(APIHeader.token): \(TestAgent.token)\r\n", "\r\n", "\r\n\r\n",
        "hello",
        "5\r\nhello\r\n", "0\r\n\r\n", "\0", "\u{ff}", ": ", ";", "?", "%00", "FFFFFFFFFFFFFFFF\r\n",
    ]

    @Test("random requests never end the server, whose next client is answered", arguments: [1, 2])
    func heads(seed: Int) async throws {
        var limits = ServerLimits()
        limits.firstHead = .milliseconds(500)
        limits.nextHead = .milliseconds(500)
        limits.body = .milliseconds(500)
        let agent = try await TestAgent(run: try TestRun(), limits: limits)
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var text = ""
            for _ in 0..<Int.random(in: 1...14, using: &generator) {
                text += Self.pieces.randomElement(using: &generator) ?? ""
            }
            let client = try RawClient(port: agent.server.port)
            try? client.send(text)
            if Bool.random(using: &generator) { client.end() }
        }
        let health = HTTPRequest("GET", agent.address + Endpoint.health)
        #expect(try await agent.transport.send(health).status == 503)
        #expect(try await agent.send("GET", "/v1/none").status == 404)
    }
}
