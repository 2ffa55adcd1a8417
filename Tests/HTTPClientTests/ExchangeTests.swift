import HTTPClient
import TestSupport
import Testing

@Suite("A request and its response", .timeLimit(.minutes(1)))
struct ExchangeTests {
    let transport = CurlTransport(userAgent: "launch/test")

    @Test("a GET request returns the status, the headers and the body")
    func get() async throws {
        let server = try StubServer { connection in
            let request = connection.request
            try #require(request.method == "GET" && request.target == "/v1/status?x=1")
            try #require(request.header("user-agent") == "launch/test")
            try #require(request.header("host") == "127.0.0.1:\(request.header("x-port") ?? "")")
            try connection.respond(200, headers: [("X-Log-Offset", " 42 ")], body: "hello")
        }
        let request = HTTPRequest("GET", server.url("/v1/status?x=1"), headers: [("X-Port", "\(server.port)")])
        let response = try await transport.send(request)
        #expect(response.status == 200)
        #expect(response.text == "hello")
        #expect(response.headers["x-log-offset"] == "42")
        #expect(response.headers["X-LOG-OFFSET"] == "42")
        #expect(response.headers["absent"] == nil)
    }

    @Test(
        "the HTTP client sends a request body with its exact Content-Length and without Expect",
        arguments: ["POST", "PUT", "PATCH", "DELETE"], [0, 5, 3_000_000])
    func requestBody(method: String, size: Int) async throws {
        let body = Array(String(repeating: "0123456789\n", count: size / 11 + 1).utf8.prefix(size))
        let server = try StubServer { connection in
            let request = connection.request
            try #require(request.method == method && request.body == body)
            try #require(request.header("content-length") == "\(size)")
            try #require(request.header("expect") == nil && request.header("transfer-encoding") == nil)
            try connection.respond(201, body: request.header("content-type") ?? "none")
        }
        let typed = HTTPRequest(method, server.url(), headers: [("Content-Type", "text/x")], body: body)
        #expect(try await transport.send(typed).text == "text/x")
        let plain = HTTPRequest(method, server.url(), body: body)
        #expect(try await transport.send(plain).text == "none")
    }

    @Test("a POST request without a body sends a Content-Length of 0")
    func emptyPost() async throws {
        let server = try StubServer { try $0.respond(200, body: $0.request.header("content-length") ?? "absent") }
        #expect(try await transport.send(HTTPRequest("POST", server.url())).text == "0")
        #expect(try await transport.send(HTTPRequest("GET", server.url())).text == "absent")
    }

    @Test("the HTTP client sends repeated and empty headers unchanged")
    func sentHeaders() async throws {
        let server = try StubServer { connection in
            try connection.respond(
                200, body: connection.request.headers.filter { $0.name.hasPrefix("X-") }.map { "\($0)=\($1)" }.joined())
        }
        let headers = [("X-A", "1"), ("X-Empty", ""), ("X-A", "2: 3")]
        let response = try await transport.send(HTTPRequest("GET", server.url(), headers: headers))
        #expect(response.text == "X-A=1X-Empty=X-A=2: 3")
    }

    @Test(
        "the HTTP client returns error statuses as values and follows no redirect",
        arguments: [204, 301, 400, 404, 410, 500, 503])
    func statuses(status: Int) async throws {
        let server = try StubServer {
            try $0.respond(status, headers: [("Location", "/elsewhere")], body: status == 204 ? "" : "why")
        }
        let response = try await transport.send(HTTPRequest("GET", server.url()))
        #expect(response.status == status)
        #expect(response.text == (status == 204 ? "" : "why"))
        #expect(server.accepted == 1, "a redirect must not be followed")
    }

    @Test("the HTTP client skips a 1xx response and its headers")
    func informational() async throws {
        let server = try StubServer { connection in
            try connection.send("HTTP/1.1 103 Early\r\nX-Early: 1\r\n\r\n")
            try connection.respond(200, headers: [("X-Late", "1")], body: "x")
        }
        let response = try await transport.send(HTTPRequest("GET", server.url()))
        #expect(response.status == 200)
        #expect(response.headers["x-early"] == nil)
        #expect(response.headers["x-late"] == "1")
    }

    @Test("repeated response headers keep their order")
    func repeatedHeaders() async throws {
        let server = try StubServer { try $0.respond(200, headers: [("A", "1"), ("B", "x"), ("a", "2")]) }
        let headers = try await transport.send(HTTPRequest("GET", server.url())).headers
        #expect(headers["a"] == "1")
        #expect(headers.values(of: "A") == ["1", "2"])
    }

    @Test("a HEAD request returns the headers and an empty body")
    func headRequest() async throws {
        let server = try StubServer { try $0.sendHead(200, headers: [("Content-Length", "1000")]) }
        let response = try await transport.send(HTTPRequest("HEAD", server.url()))
        #expect(response.headers["content-length"] == "1000")
        #expect(response.body.isEmpty)
    }

    @Test("the HTTP client does not report trailers as headers")
    func trailers() async throws {
        let server = try StubServer { connection in
            try connection.sendHead(headers: [("Transfer-Encoding", "chunked")])
            try connection.sendChunk("body")
            try connection.send("0\r\nX-Trailer: 1\r\nHTTP/1.1 no: head\r\n\r\n")
        }
        let response = try await transport.send(HTTPRequest("GET", server.url()))
        #expect(response.text == "body")
        #expect(response.headers["x-trailer"] == nil)
    }

    @Test("the HTTP client accepts a response that comes before the server has read the whole body")
    func earlyResponse() async throws {
        let server = try StubServer(readsRequest: false) { connection in
            try connection.respond(413, headers: [("Connection", "close")], body: "too much")
            try connection.waitForClose()
        }
        let body = [UInt8](repeating: 1, count: 20_000_000)
        let response = try await transport.send(HTTPRequest("PUT", server.url(), body: body))
        #expect(response.status == 413)
        #expect(response.text == "too much")
    }

    @Test("an HTTP body one byte above the limit fails, with an error that hides the URL's query")
    func bodyLimit() async throws {
        let server = try StubServer { try $0.respond(200, body: [UInt8](repeating: 1, count: 100_000)) }
        let request = HTTPRequest("GET", server.url("/?key=secret"))
        #expect(try await transport.send(request, limit: 100_000).body.count == 100_000)
        let error = try await failure { () throws(HTTPError) in try await transport.send(request, limit: 99_999) }
        #expect(error.code == .tooLarge)
        #expect(error.message.contains(server.url()) && !error.message.contains("secret"))
    }

    @Test("the HTTP client ignores http_proxy for loopback addresses")
    func loopbackProxy() async throws {
        // The variable applies to a whole process, so an exit test sets it in a process of its own.
        await #expect(processExitsWith: .success) {
            let proxy = try StubServer { try $0.respond(200, body: "proxy") }
            let server = try StubServer { try $0.respond(200, body: "direct") }
            setEnvironment("http_proxy", proxy.url())
            for host in ["127.0.0.1", "localhost"] {
                let url = "http://\(host):\(server.port)/"
                #expect(try await CurlTransport().send(HTTPRequest("GET", url)).text == "direct")
            }
            let elsewhere = HTTPRequest("GET", "http://example.invalid/")
            #expect(try await CurlTransport().send(elsewhere).text == "proxy")
        }
    }
}
