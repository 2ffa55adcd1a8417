/// The way requests go out. `CurlTransport` is the real one; tests bring their own.
public protocol HTTPTransport: Sendable {
    /// Sends the request and returns once the head of the response is there; redirects are not followed.
    ///
    /// Cancelling the task, or dropping the exchange with its body, ends the transfer.
    func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPExchange
}

/// A response whose head is here and whose body is on its way.
public struct HTTPExchange: Sendable {
    public let head: HTTPHead
    /// The only owner of the transfer: when it and its iterators are gone, the connection is closed.
    public let body: HTTPBody

    public init(head: HTTPHead, body: HTTPBody) {
        self.head = head
        self.body = body
    }
}

/// A response that is here as a whole.
public struct HTTPResponse: Sendable {
    public let head: HTTPHead
    public let body: [UInt8]

    public init(head: HTTPHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }

    public var status: Int { head.status }
    public var headers: HTTPHeaders { head.headers }
    /// The body as text; what is no UTF-8 becomes U+FFFD.
    public var text: String { String(decoding: body, as: UTF8.self) }
}

extension HTTPTransport {
    /// Sends the request and collects the response. A body of more than `limit` bytes throws `.tooLarge`.
    public func send(_ request: HTTPRequest, limit: Int = 16 << 20) async throws(HTTPError) -> HTTPResponse {
        let exchange = try await open(request)
        var body: [UInt8] = []
        for try await chunk in exchange.body {
            guard chunk.count <= limit - body.count else {
                throw HTTPError(.tooLarge, "the response of \"\(request.label)\" is longer than \(limit) bytes")
            }
            body += chunk
        }
        return HTTPResponse(head: exchange.head, body: body)
    }
}
