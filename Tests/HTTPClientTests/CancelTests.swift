import HTTPClient
import TestSupport
import Testing

@Suite("Cancelled HTTP requests", .timeLimit(.minutes(1)))
struct CancelTests {
    let transport = CurlTransport()

    /// Starts a server that sends a head and one chunk, then fires `closed` when the client closes the connection.
    ///
    /// It fires `isStalled` half a second after the chunk. By then no timer of libcurl's own would wake the transfer.
    private func stall(_ closed: StubSignal, isStalled: StubSignal? = nil) throws -> StubServer {
        try StubServer { connection in
            try connection.sendHead(headers: [("Transfer-Encoding", "chunked")])
            try connection.sendChunk("first")
            if let isStalled {
                StubSignal().block(for: .milliseconds(500))
                isStalled.fire()
            }
            try connection.waitForClose()
            closed.fire()
        }
    }

    @Test("cancelling a task ends its stalled HTTP stream within a second")
    func stalledStream() async throws {
        let (closed, isStalled, isReading) = (StubSignal(), StubSignal(), StubSignal())
        let server = try stall(closed, isStalled: isStalled)
        let task = Task {
            var chunks = try await transport.open(HTTPRequest("GET", server.url())).body.makeAsyncIterator()
            _ = try await chunks.next()
            isReading.fire()
            return try await failure { () throws(HTTPError) in try await chunks.next() }
        }
        await isReading.wait()
        await isStalled.wait()
        let start = ContinuousClock.now
        task.cancel()
        let error = try await task.value
        let reported = ContinuousClock.now - start
        let seen = try await time(from: start, to: closed)
        #expect(error.code == .cancelled)
        #expect(seen < .seconds(1))
        Timings.note("cancel: consumer resumed", reported)
        Timings.note("cancel: server sees the close", seen)
    }

    @Test("cancelling a task closes the connection of its unanswered HTTP request")
    func unanswered() async throws {
        let (closed, isHere) = (StubSignal(), StubSignal())
        let server = try StubServer { connection in
            isHere.fire()
            try connection.waitForClose()
            closed.fire()
        }
        let task = Task {
            try await failure { () throws(HTTPError) in try await transport.open(HTTPRequest("GET", server.url())) }
        }
        await isHere.wait()
        task.cancel()
        #expect(try await task.value.code == .cancelled)
        await closed.wait()
    }

    @Test("an HTTP request fails as cancelled if its task was cancelled before the request")
    func alreadyCancelled() async throws {
        let server = try StubServer { try $0.respond(200) }
        let gate = StubSignal()
        let task = Task {
            await gate.wait()
            return try await failure { () throws(HTTPError) in
                try await transport.send(HTTPRequest("GET", server.url()))
            }
        }
        task.cancel()
        gate.fire()
        #expect(try await task.value.code == .cancelled)
    }

    @Test("dropping a half-read HTTP body closes the connection within a second")
    func halfReadBody() async throws {
        let closed = StubSignal()
        let server = try stall(closed)
        do {
            let exchange = try await transport.open(HTTPRequest("GET", server.url()))
            for try await chunk in exchange.body {
                #expect(text(chunk) == "first")
                break
            }
        }
        #expect(try await time(from: .now, to: closed) < .seconds(1))
    }

    @Test("dropping an HTTP response closes the connection if its body was never read")
    func unreadBody() async throws {
        let closed = StubSignal()
        let server = try stall(closed)
        #expect(try await transport.open(HTTPRequest("GET", server.url())).head.status == 200)
        await closed.wait()
    }

    @Test("dropping an HTTP response closes the connection while a full buffer pauses the transfer")
    func pausedTransfer() async throws {
        let (closed, isStuck) = (StubSignal(), StubSignal())
        let server = try StubServer { connection in
            try connection.sendHead()
            _ = try connection.flood([UInt8](repeating: 1, count: 1 << 16), limit: 1 << 30, quiet: .milliseconds(200))
            isStuck.fire()
            try connection.waitForClose()
            closed.fire()
        }
        do {
            let exchange = try await transport.open(HTTPRequest("GET", server.url()))
            await isStuck.wait()
            withExtendedLifetime(exchange) {}
        }
        await closed.wait()
    }

    @Test("a cancelled HTTP body stays cancelled when it is read again")
    func readAfterCancel() async throws {
        let closed = StubSignal()
        let server = try stall(closed)
        let exchange = try await transport.open(HTTPRequest("GET", server.url()))
        let isReading = StubSignal()
        let task = Task {
            for try await _ in exchange.body { isReading.fire() }
        }
        await isReading.wait()
        task.cancel()
        _ = await task.result
        await closed.wait()
        var chunks = exchange.body.makeAsyncIterator()
        let error = try await failure { () throws(HTTPError) in try await chunks.next() }
        #expect(error.code == .cancelled)
    }
}
