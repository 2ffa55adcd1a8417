import HTTPClient
import TestSupport
import Testing

@Suite("Timeouts of the HTTP client", .timeLimit(.minutes(1)))
struct TimeoutTests {
    let transport = CurlTransport()

    /// Returns the timeout error of `request`. Expects the client to close the connection within a second after `time`.
    private func timeout(
        of request: HTTPRequest, after time: Duration, closing closed: StubSignal
    ) async throws -> HTTPError {
        let start = ContinuousClock.now
        let error = try await failure { () throws(HTTPError) in try await transport.send(request) }
        let passed = try await HTTPClientTests.time(from: start, to: closed)
        #expect(passed >= time && passed < time + .seconds(1))
        #expect(error.code == .timedOut)
        return error
    }

    @Test("the connect timeout covers the TLS handshake")
    func connect() async throws {
        let closed = StubSignal()
        let server = try StubServer(readsRequest: false) { connection in
            try connection.waitForClose()
            closed.fire()
        }
        let request = HTTPRequest(
            "GET", "https://127.0.0.1:\(server.port)/", timeouts: HTTPTimeouts(connect: .milliseconds(150)))
        let error = try await timeout(of: request, after: .milliseconds(150), closing: closed)
        #expect(error.message.contains("could not connect"))
    }

    @Test("the idle timeout ends an HTTP request that gets no response")
    func noResponse() async throws {
        let closed = StubSignal()
        let server = try StubServer { connection in
            try connection.waitForClose()
            closed.fire()
        }
        let timeouts = HTTPTimeouts(connect: .milliseconds(100), idle: .milliseconds(250))
        let request = HTTPRequest("GET", server.url(), timeouts: timeouts)
        let error = try await timeout(of: request, after: .milliseconds(250), closing: closed)
        #expect(error.message.contains("nothing came"))
    }

    @Test("the idle timeout ends an upload that the server does not read")
    func stuckUpload() async throws {
        let isOver = StubSignal()
        let server = try StubServer(readsRequest: false) { _ in try isOver.block() }
        let body = [UInt8](repeating: 1, count: 30_000_000)
        let request = HTTPRequest("PUT", server.url(), body: body, timeouts: HTTPTimeouts(idle: .milliseconds(250)))
        let error = try await failure { () throws(HTTPError) in try await transport.send(request) }
        #expect(error.code == .timedOut)
        isOver.fire()
    }

    @Test("the idle timeout ends a stalled HTTP body after its received bytes")
    func stalledBody() async throws {
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Content-Length", "10")])
            try connection.send("half")
            try connection.waitForClose()
        }
        let request = HTTPRequest("GET", server.url(), timeouts: HTTPTimeouts(idle: .milliseconds(200)))
        var chunks = try await transport.open(request).body.makeAsyncIterator()
        #expect(text(try await chunks.next()) == "half")
        let error = try await failure { () throws(HTTPError) in try await chunks.next() }
        #expect(error.code == .timedOut)
    }

    @Test("the total timeout ends a slow HTTP body that never exceeds the idle timeout")
    func slowBody() async throws {
        let closed = StubSignal()
        let server = try StubServer { connection in
            defer { closed.fire() }
            try connection.sendHead(headers: [("Content-Length", "1000000")])
            while true {
                try connection.send("x")
                StubSignal().block(for: .milliseconds(50))
            }
        }
        let timeouts = HTTPTimeouts(idle: .milliseconds(300), total: .milliseconds(900))
        let request = HTTPRequest("GET", server.url(), timeouts: timeouts)
        let error = try await timeout(of: request, after: .milliseconds(900), closing: closed)
        #expect(error.message.contains("took longer"))
    }

    @Test("the idle timeout does not count the time in which the consumer reads nothing")
    func slowConsumer() async throws {
        let size = 20 << 20
        let isStuck = StubSignal()
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Content-Length", "\(size)")])
            let block = [UInt8](repeating: 1, count: 64 << 10)
            // The client reads nothing for four times its idle timeout.
            let count = try connection.flood(block, limit: size, quiet: .milliseconds(800))
            isStuck.fire()
            for _ in stride(from: count, to: size, by: block.count) { try connection.send(block) }
        }
        let request = HTTPRequest("GET", server.url(), timeouts: HTTPTimeouts(idle: .milliseconds(200)))
        let exchange = try await transport.open(request)
        await isStuck.wait()
        var count = 0
        for try await chunk in exchange.body { count += chunk.count }
        #expect(count == size)
    }

    @Test("an HTTP request without an idle timeout waits for a late response")
    func noTimeout() async throws {
        let go = StubSignal()
        let server = try StubServer { connection in
            go.block(for: .milliseconds(500))
            try connection.respond(200, body: "late")
        }
        let timeouts = HTTPTimeouts(connect: .milliseconds(200), idle: nil)
        #expect(try await transport.send(HTTPRequest("GET", server.url(), timeouts: timeouts)).text == "late")
    }
}
