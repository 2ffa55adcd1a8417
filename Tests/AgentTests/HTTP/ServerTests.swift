import HTTPClient
import Shared
import TestSupport
import Testing

@testable import Agent

/// The server, byte by byte on its connections.
@Suite struct ServerTests {
    private let run: TestRun
    private let agent: TestAgent
    private let work: OpenAttempt

    init() async throws {
        run = try TestRun()
        agent = try await TestAgent(run: run)
        work = try agent.open(try run.attempt(1))
        await work.log.sync()
    }

    /// Sends `text`, and returns the server's bytes up to the end of the connection.
    private func exchange(_ text: String) async throws -> String {
        try await Exchange.run(text, port: agent.server.port)
    }

    private func request(_ line: String, _ headers: String...) -> String {
        let all = ["Host: x", "\(APIHeader.token): \(TestAgent.token)"] + headers
        return "\(line) HTTP/1.1\r\n" + all.map { $0 + "\r\n" }.joined() + "\r\n"
    }

    @Test("a connection serves one request after another until the client asks to close it")
    func keepAlive() async throws {
        let close = "Connection: close"
        let answer = try await exchange(
            request("GET /v1/none") + request("GET /v1/health") + request("GET /v1/status", close))
        #expect(answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["404", "200", "200"])
        #expect(answer.lowercased().split(separator: "connection: close").count == 2)
    }

    @Test("a HEAD request gets the headers of a GET and no body")
    func head() async throws {
        let answer = try await exchange(request("HEAD /v1/log", "Range: bytes=1-3", "Connection: close"))
        #expect(answer.hasPrefix("HTTP/1.1 206 "))
        #expect(answer.hasSuffix("\r\n\r\n"))
        #expect(answer.contains("Content-Length: 3\r\n"))
    }

    @Test("a followed response is sent in chunks")
    func chunked() async throws {
        work.log.progress.close()
        let log = try run.log().text
        let answer = try await exchange(request("GET /v1/log?follow=1&from=0", "Connection: close"))
        #expect(answer.lowercased().contains("transfer-encoding: chunked\r\n"))
        let size = String(log.utf8.count, radix: 16)
        #expect(answer.hasSuffix("\r\n\r\n\(size)\r\n\(log)\r\n0\r\n\r\n"))
    }

    @Test("a request body is read up to the limit and refused with 413 above it")
    func bodyLimit() async throws {
        let fits = try await agent.send("POST", Endpoint.stop, body: [UInt8](repeating: 32, count: Route.smallBody))
        #expect(fits.status == 400)
        let large = [UInt8](repeating: 32, count: Route.smallBody + 1)
        #expect(try await agent.send("POST", Endpoint.stop, body: large).status == 413)
        let padding = String(repeating: " ", count: Route.smallBody)
        #expect(
            try await agent.send("POST", Endpoint.stop, body: Array((#"{"mode":"now"}"# + padding).utf8)).status == 413)
        #expect(agent.tells == [])
    }

    @Test("a connection serves the next request after a body that was too large")
    func afterLargeBody() async throws {
        let body = String(repeating: " ", count: Route.smallBody + 1)
        let answer = try await exchange(
            request("POST /v1/stop", "Content-Length: \(body.utf8.count)") + body
                + request("GET /v1/health", "Connection: close"))
        #expect(answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["413", "200"])
    }

    @Test(
        "a malformed request gets 400 or nothing, and the server continues",
        arguments: [
            "\r\nnonsense\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n",
        ])
    func nonsense(_ text: String) async throws {
        let answer = try await exchange(text)
        #expect(answer.isEmpty || answer.hasPrefix("HTTP/1.1 400 "))
        #expect(try await agent.send("GET", Endpoint.status).status == 200)
    }

    @Test("a server whose port is taken is an error that names the port")
    func takenPort() async throws {
        let problem = await #expect(throws: Problem.self) {
            _ = try await Server(address: "127.0.0.1", port: agent.server.port, routes: agent.router.table)
        }
        #expect(problem?.sentence.hasPrefix("could not listen on 127.0.0.1:\(agent.server.port)") == true)
    }
}
