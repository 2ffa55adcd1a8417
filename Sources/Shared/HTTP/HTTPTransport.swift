/// Sends requests. `CurlTransport` is the real one; tests have their own.
public protocol HTTPTransport: Sendable {
    /// Sends the request and returns when the head of the response has arrived. Redirects are not followed.
    ///
    /// The transfer ends if the task is cancelled, or if the exchange and its body are released.
    func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPExchange
}

/// A response whose head has arrived. Its body follows.
public struct HTTPExchange: Sendable {
    public let head: HTTPHead
    /// The only owner of the transfer. The connection closes when the body and its iterators are released.
    public let body: HTTPBody

    public init(head: HTTPHead, body: HTTPBody) {
        self.head = head
        self.body = body
    }
}

/// A response that has arrived completely.
public struct HTTPResponse: Sendable {
    public let head: HTTPHead
    public let body: [UInt8]

    public init(head: HTTPHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }

    public var status: Int { head.status }
    public var headers: HTTPHeaders { head.headers }
    /// The body as text. Bytes that are not UTF-8 become U+FFFD.
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
