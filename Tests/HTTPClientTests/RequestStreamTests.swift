import HTTPClient
import Synchronization
import TestSupport
import Testing

@Suite("A streamed request body", .timeLimit(.minutes(1))) struct RequestStreamTests {
    private let transport = CurlTransport()

    /// Hands out `chunks` one after the other.
    private func source(_ chunks: [[UInt8]]) -> HTTPRequestBody.Next {
        let rest = Mutex(chunks[...])
        return { rest.withLock { $0.popFirst() } }
    }

    private func put(_ url: String, _ body: HTTPRequestBody) -> HTTPRequest {
        var request = HTTPRequest("PUT", url)
        request.body = body
        return request
    }

    @Test("a stream of known length comes with its length") func knownLength() async throws {
        let server = try StubServer { connection in
            let request = connection.request
            try connection.respond(
                200, body: "\(request.header("Content-Length") ?? "none") \(checksum(request.body))")
        }
        let chunks = (0..<50).map { [UInt8](repeating: UInt8($0), count: 10_000 * ($0 % 7) + 1) }
        let whole = Array(chunks.joined())
        let response = try await transport.send(
            put(server.url(), .stream(length: whole.count, next: source(chunks))))
        #expect(response.text == "\(whole.count) \(checksum(whole))")
    }

    @Test("a stream of unknown length comes in chunks") func chunked() async throws {
        let server = try StubServer(readsRequest: false) { connection in
            var text = ""
            while !text.contains("0\r\n\r\n") { text += String(decoding: try connection.receive(), as: UTF8.self) }
            #expect(text.contains("Transfer-Encoding: chunked\r\n") && !text.contains("Content-Length"))
            #expect(text.hasSuffix("\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"), "\(text)")
            try connection.respond(200, body: "taken")
        }
        let chunks = [Array("abc".utf8), [], Array("de".utf8)]
        let response = try await transport.send(put(server.url(), .stream(length: nil, next: source(chunks))))
        #expect(response.text == "taken")
    }

    @Test("a producer may be slower than the idle timeout") func slowProducer() async throws {
        let server = try StubServer { connection in
            try connection.respond(200, headers: [], body: connection.request.body)
        }
        let count = Mutex(0)
        var request = put(
            server.url(),
            .stream(length: 4) {
                let number = count.withLock { count in
                    count += 1
                    return count
                }
                guard number <= 2 else { return nil }
                try await Task.sleep(for: .seconds(2))
                return Array("ab".utf8)
            })
        request.timeouts.idle = .seconds(1)
        // Only the producer may be slow, so the server answers at once.
        let response = try await transport.send(request)
        #expect(response.text == "abab")
    }

    @Test("a stream is pulled no faster than the connection takes it") func backPressure() async throws {
        let release = StubSignal()
        let server = try StubServer(readsRequest: false) { connection in
            try release.block()
            while !(try connection.receive()).isEmpty {}
        }
        let pulled = Counter()
        let size = 64 << 20
        let request = put(
            server.url(),
            .stream(length: size) {
                pulled.add(1 << 20)
                return [UInt8](repeating: 1, count: 1 << 20)
            })
        let sending = Task { try await transport.send(request) }
        try await eventuallyTrue("full buffers") {
            let before = pulled.value
            try await Task.sleep(for: .milliseconds(300))
            return before > 0 && pulled.value == before
        }
        // The buffers of the two sockets, 4 MB to send and 6 MB to receive at most, tcp(7), and two chunks.
        #expect(pulled.value < 13 << 20)
        sending.cancel()
        release.fire()
        _ = try? await sending.value
    }

    @Test("an error of the producer ends the request") func failingProducer() async throws {
        let server = try StubServer { connection in try connection.respond(200) }
        let error = try await failure {
            () async throws(HTTPError) in
            try await transport.send(put(server.url(), .stream(length: 10) { throw StubError.gaveUp }))
        }
        #expect(error.code == .bodyFailed && !error.isPassing)
        for chunks in [[Array("abc".utf8)], [Array("0123456789x".utf8)]] {
            let error = try await failure { () async throws(HTTPError) in
                try await transport.send(put(server.url(), .stream(length: 10, next: source(chunks))))
            }
            #expect(error.code == .bodyFailed)
        }
    }

    @Test("a server that refuses early is heard, and the producer is let go") func earlyRefusal() async throws {
        let server = try StubServer(readsRequest: false) { connection in
            _ = try connection.receive()
            try connection.respond(409, body: "no")
            try connection.waitForClose()
        }
        let isOver = StubSignal()
        let response = try await transport.send(put(server.url(), endless(untilDropped: isOver)))
        #expect(response.status == 409 && response.text == "no")
        await isOver.wait()
    }

    /// Fires `signal` once nothing holds it any more.
    private func endless(untilDropped signal: StubSignal) -> HTTPRequestBody {
        let lease = Lease(signal)
        return .stream(length: 1 << 30) {
            withExtendedLifetime(lease) { [UInt8](repeating: 1, count: 1 << 20) }
        }
    }
}

private func checksum(_ bytes: [UInt8]) -> UInt64 {
    var checksum = Checksum()
    checksum.add(bytes)
    return checksum.value
}

/// Tells of its own end.
private final class Lease: Sendable {
    private let signal: StubSignal

    init(_ signal: StubSignal) { self.signal = signal }

    deinit { signal.fire() }
}
