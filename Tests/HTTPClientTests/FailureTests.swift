import HTTPClient
import TestSupport
import Testing

@Suite("Errors of the HTTP client", .timeLimit(.minutes(1)))
struct FailureTests {
    let transport = CurlTransport()

    private func failure(of request: HTTPRequest) async throws -> HTTPError {
        try await HTTPClientTests.failure { () throws(HTTPError) in try await transport.send(request) }
    }

    @Test("an HTTP request to a closed port fails as unreachable, with an error that hides the URL's query")
    func refused() async throws {
        let url = try StubServer { _ in }.url("/path?key=secret")
        let error = try await failure(of: HTTPRequest("GET", url))
        #expect(error.code == .unreachable)
        #expect(error.curlCode == 7)
        #expect(error.isPassing)
        #expect(error.message.contains("/path") && !error.message.contains("secret"))
    }

    @Test("an HTTP request to an unknown host fails as unreachable, with a hint")
    func unknownHost() async throws {
        let request = HTTPRequest("GET", "http://nowhere.invalid/")
        let error = try await failure(of: request)
        #expect(error.code == .unreachable)
        #expect(error.hint != nil)
    }

    @Test(
        "the HTTP client refuses a URL that is malformed or not HTTP",
        arguments: [
            "", "nonsense url", "http://", "http://host:port/", "https://a b/", "file:///etc/passwd",
            "ftp://127.0.0.1/x",
            "gopher://127.0.0.1/", "http://127.0.0.1/\0", "http://127.0.0.1/\r\nX: y", "http://[::1/",
        ])
    func badURL(url: String) async throws {
        #expect(try await failure(of: HTTPRequest("GET", url)).code == .invalidRequest)
    }

    @Test("the HTTP client refuses methods and headers that could inject text into a request")
    func injection() async throws {
        let url = "http://127.0.0.1:1/"
        let requests = [
            HTTPRequest("GET / HTTP/1.1\r\nX:", url), HTTPRequest("", url), HTTPRequest("HEAD", url, body: [1]),
            HTTPRequest("GET", url, headers: [("A", "b\r\nC: d")]), HTTPRequest("GET", url, headers: [("A", "b\n")]),
            HTTPRequest("GET", url, headers: [("A: b\r\nC", "d")]), HTTPRequest("GET", url, headers: [("", "d")]),
            HTTPRequest("GET", url, headers: [("A", "b\0c")]),
        ]
        for request in requests { #expect(try await failure(of: request).code == .invalidRequest) }
    }

    enum Framing: CaseIterable { case length, chunked }
    enum Cut: CaseIterable { case close, reset }

    @Test(
        "an HTTP body that is cut off yields its received bytes, then fails as interrupted",
        arguments: Framing.allCases, Cut.allCases)
    func cutBody(framing: Framing, cut: Cut) async throws {
        let seen = StubSignal()
        let server = try StubServer { connection in
            switch framing {
            case .length:
                try connection.sendHead(headers: [("Content-Length", "10")])
                try connection.send("half")
            case .chunked:
                try connection.sendHead(headers: [("Transfer-Encoding", "chunked")])
                try connection.sendChunk("half")
            }
            try seen.block()
            if cut == .reset { connection.reset() }
        }
        let exchange = try await transport.open(HTTPRequest("GET", server.url()))
        var chunks = exchange.body.makeAsyncIterator()
        #expect(text(try await chunks.next()) == "half")
        seen.fire()
        let error = try await HTTPClientTests.failure { () throws(HTTPError) in try await chunks.next() }
        #expect(error.code == .interrupted)
        #expect(error.isPassing)
    }

    @Test("received HTTP bytes can still be read after their connection closed too early")
    func unreadBytes() async throws {
        let closed = StubSignal()
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Content-Length", "100000")])
            try connection.send([UInt8](repeating: 1, count: 99_999))
            try connection.finishSending()
            try connection.waitForClose()
            closed.fire()
        }
        var chunks = try await transport.open(HTTPRequest("GET", server.url())).body.makeAsyncIterator()
        await closed.wait()  // libcurl has closed the connection, all its bytes are unread
        #expect(try await chunks.next()?.count == 99_999)
        let error = try await HTTPClientTests.failure { () throws(HTTPError) in try await chunks.next() }
        #expect(error.code == .interrupted)
    }

    @Test(
        "an HTTP request fails as interrupted if the connection ends before the response's head",
        arguments: Cut.allCases)
    func cutHead(cut: Cut) async throws {
        let server = try StubServer { if cut == .reset { $0.reset() } }
        #expect(try await failure(of: HTTPRequest("GET", server.url())).code == .interrupted)
    }

    @Test(
        "an answer that is not HTTP fails as a protocol error",
        arguments: ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/1.1 abc\r\n\r\n", "\r\n\r\n"])
    func notHTTP(answer: String) async throws {
        let server = try StubServer { connection in
            try connection.send(answer)
            connection.close()
        }
        #expect(try await failure(of: HTTPRequest("GET", server.url())).code == .protocolError)
    }

    @Test("an HTTP response head without an end fails as a protocol error")
    func endlessHead() async throws {
        let server = try StubServer { connection in
            try connection.send("HTTP/1.1 200 OK\r\n")
            while true { try connection.send("X-More: \(String(repeating: "x", count: 1000))\r\n") }
        }
        #expect(try await failure(of: HTTPRequest("GET", server.url())).code == .protocolError)
    }

    @Test("an https request to a server without TLS fails as a TLS error")
    func plainText() async throws {
        let server = try StubServer(readsRequest: false) { try $0.send("HTTP/1.1 400 Bad\r\n\r\n") }
        let error = try await failure(of: HTTPRequest("GET", "https://127.0.0.1:\(server.port)/"))
        #expect(error.code == .tls)
    }
}
