import HTTPClient
import TestSupport
import Testing

@Suite("Cancelling ends it at once", .timeLimit(.minutes(1)))
struct CancelTests {
    let transport = CurlTransport()

    /// A server that sends a head and one chunk, then tells when the client closes.
    ///
    /// `isStalled` comes half a second later, when no timer of libcurl's own is left that would wake the transfer anyway.
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

    @Test func aStalledStream() async throws {
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
        let told = ContinuousClock.now - start
        let seen = try await time(from: start, to: closed)
        #expect(error.code == .cancelled)
        #expect(seen < .seconds(1))
        Timings.note("cancel: consumer told", told)
        Timings.note("cancel: server sees the close", seen)
    }

    @Test func aRequestWithoutAnAnswer() async throws {
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

    @Test func aTaskThatIsCancelledAlready() async throws {
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

    @Test func aDroppedBody() async throws {
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

    @Test func aBodyNobodyAskedFor() async throws {
        let closed = StubSignal()
        let server = try stall(closed)
        #expect(try await transport.open(HTTPRequest("GET", server.url())).head.status == 200)
        await closed.wait()
    }

    @Test func aPausedStream() async throws {
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

    @Test func afterwardsTheStreamStaysCancelled() async throws {
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
