import HTTPClient
import TestSupport
import Testing

@Suite("Streamed HTTP bodies", .timeLimit(.minutes(1)))
struct StreamTests {
    let transport = CurlTransport()

    @Test("the consumer reads each chunk of an HTTP body before the server sends the next")
    func eachChunk() async throws {
        let seen = (0..<5).map { _ in StubSignal() }
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Transfer-Encoding", "chunked")])
            for (number, signal) in seen.enumerated() {
                try connection.sendChunk("line \(number)\n")
                try signal.block()
            }
            try connection.sendChunk("")
        }
        let exchange = try await transport.open(HTTPRequest("GET", server.url()))
        var chunks = exchange.body.makeAsyncIterator()
        for (number, signal) in seen.enumerated() {
            #expect(text(try await chunks.next()) == "line \(number)\n")
            signal.fire()
        }
        #expect(try await chunks.next() == nil)
        #expect(try await chunks.next() == nil)
    }

    @Test("a streamed line reaches its consumer in less than 20 ms (median)")
    func lineDelay() async throws {
        let lines = (0..<100).map { _ in (sent: StubSignal(), seen: StubSignal()) }
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Transfer-Encoding", "chunked")])
            for line in lines {
                StubSignal().block(for: .milliseconds(2))  // by then the transfer waits for more again
                line.sent.fire()
                try connection.sendChunk("a line of a log\n")
                try line.seen.block()
            }
            try connection.sendChunk("")
        }
        var chunks = try await transport.open(HTTPRequest("GET", server.url())).body.makeAsyncIterator()
        var times: [Duration] = []
        for line in lines {
            _ = try await chunks.next()
            times.append(ContinuousClock.now - (try #require(line.sent.firedAt)))
            line.seen.fire()
        }
        times.sort()
        Timings.note("line sent to line in the consumer, p50", times[50])
        Timings.note("line sent to line in the consumer, p99", times[98])
        // Delayed small packets or a polled buffer would take 40 ms and more. The bound leaves room for a busy machine.
        #expect(times[50] < .milliseconds(20))
    }

    @Test("the head of an HTTP response arrives before any byte of its body")
    func headFirst() async throws {
        let seen = StubSignal()
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Content-Length", "2")])
            try seen.block()
            try connection.send("ok")
        }
        let exchange = try await transport.open(HTTPRequest("GET", server.url()))
        #expect(exchange.head.status == 200)
        seen.fire()
        var chunks = exchange.body.makeAsyncIterator()
        #expect(text(try await chunks.next()) == "ok")
    }

    @Test("an HTTP body without a length ends when the server closes the connection")
    func noLength() async throws {
        let server = try StubServer { connection in
            try connection.sendHead()
            try connection.send("all")
        }
        #expect(try await transport.send(HTTPRequest("GET", server.url())).text == "all")
    }

    @Test("an HTTP body of 100 MB arrives unchanged")
    func largeBody() async throws {
        // The length is no multiple of any buffer's, so a misplaced piece changes the checksum.
        let block = Array((0..<90_000).map { "\($0 * 7919)," }.joined().utf8.prefix(500_009))
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Content-Length", "\(block.count * 200)")])
            for _ in 0..<200 { try connection.send(block) }
        }
        var expected = Checksum()
        for _ in 0..<200 { expected.add(block) }
        var got = Checksum()
        for try await chunk in try await transport.open(HTTPRequest("GET", server.url())).body { got.add(chunk) }
        #expect(got == expected)
    }

    @Test("an HTTP server cannot send more than the buffers hold while the consumer reads nothing")
    func backPressure() async throws {
        let buffer = 64 << 10
        let size = 64 << 20
        let block = [UInt8](repeating: 7, count: 64 << 10)
        let isStuck = StubSignal()
        let taken = Counter()
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Content-Length", "\(size)")])
            let count = try connection.flood(block, limit: size, quiet: .milliseconds(300))
            taken.add(count)
            isStuck.fire()
            var rest = size - count
            while rest > 0 {
                try connection.send(Array(block.prefix(rest)))
                rest -= min(rest, block.count)
            }
        }
        let exchange = try await CurlTransport(buffer: buffer).open(HTTPRequest("GET", server.url()))
        await isStuck.wait()
        // The client's buffer and those of the two sockets: at most 4 MB to send and 6 MB to receive, tcp(7).
        #expect(taken.value < 11 << 20)
        var count = 0
        var largest = 0
        for try await chunk in exchange.body {
            count += chunk.count
            largest = max(largest, chunk.count)
        }
        #expect(count == size)
        #expect(largest <= buffer + 16 << 10)
    }

    @Test("64 HTTP streams run at the same time")
    func manyStreams() async throws {
        let everyoneIsHere = StubSignal()
        let here = Counter()
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Transfer-Encoding", "chunked")])
            try connection.sendChunk(connection.request.target)
            try everyoneIsHere.block()
            try connection.sendChunk("!")
            try connection.sendChunk("")
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<64 {
                group.addTask {
                    let exchange = try await transport.open(HTTPRequest("GET", server.url("/\(number)")))
                    var chunks = exchange.body.makeAsyncIterator()
                    #expect(text(try await chunks.next()) == "/\(number)")
                    if here.add(1) == 64 { everyoneIsHere.fire() }
                    #expect(text(try await chunks.next()) == "!")
                    #expect(try await chunks.next() == nil)
                }
            }
            try await group.waitForAll()
        }
    }

    @Test("two readers of one HTTP body together receive every byte")
    func twoReaders() async throws {
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Content-Length", "8000000")])
            for _ in 0..<80 { try connection.send([UInt8](repeating: 1, count: 100_000)) }
        }
        let body = try await transport.open(HTTPRequest("GET", server.url())).body
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    var count = 0
                    for try await chunk in body { count += chunk.count }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(count == 8_000_000)
    }
}
