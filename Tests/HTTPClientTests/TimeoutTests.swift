import HTTPClient
import TestSupport
import Testing

@Suite("Times run out", .timeLimit(.minutes(1)))
struct TimeoutTests {
    let transport = CurlTransport()

    /// The error, and that the connection was closed neither before `time` nor long after.
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

    @Test func theHandshakeIsPartOfConnecting() async throws {
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

    @Test func noHeadIsIdle() async throws {
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

    @Test func anUploadNobodyTakesIsIdle() async throws {
        let isOver = StubSignal()
        let server = try StubServer(readsRequest: false) { _ in try isOver.block() }
        let body = [UInt8](repeating: 1, count: 30_000_000)
        let request = HTTPRequest("PUT", server.url(), body: body, timeouts: HTTPTimeouts(idle: .milliseconds(250)))
        let error = try await failure { () throws(HTTPError) in try await transport.send(request) }
        #expect(error.code == .timedOut)
        isOver.fire()
    }

    @Test func aStalledBodyIsIdleAfterItsBytes() async throws {
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

    @Test func aDripKeepsIdleAwayButNotTotal() async throws {
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

    @Test func timeInTheConsumerIsNotIdle() async throws {
        let size = 20 << 20
        let isStuck = StubSignal()
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Content-Length", "\(size)")])
            let block = [UInt8](repeating: 1, count: 64 << 10)
            // Four times the idle time without a byte taken.
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

    @Test func noIdleTimeWaits() async throws {
        let go = StubSignal()
        let server = try StubServer { connection in
            go.block(for: .milliseconds(500))
            try connection.respond(200, body: "late")
        }
        let timeouts = HTTPTimeouts(connect: .milliseconds(200), idle: nil)
        #expect(try await transport.send(HTTPRequest("GET", server.url(), timeouts: timeouts)).text == "late")
    }
}
