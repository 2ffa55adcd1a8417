/// One request. Its body may come while it is sent.
public struct HTTPRequest: Sendable {
    public var method: String
    /// `http` or `https`, percent-encoded.
    public var url: String
    /// Sent in this order, beside `Host`, `User-Agent`, `Accept` and `Content-Length`, which are added when absent.
    public var headers: [(name: String, value: String)]
    /// Nil is no body, or an empty one for POST, PUT and PATCH.
    public var body: HTTPRequestBody?
    public var timeouts: HTTPTimeouts
    /// Whoever knows the path may use it, as with the addresses of chat services: no error shows more than the host.
    public var isPathSecret = false

    public init(
        _ method: String = "GET",
        _ url: String,
        headers: [(name: String, value: String)] = [],
        body: [UInt8]? = nil,
        timeouts: HTTPTimeouts = HTTPTimeouts()
    ) {
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body.map { .bytes($0) }
        self.timeouts = timeouts
    }
}

/// How long to wait, on a clock that goes on while the machine sleeps.
public struct HTTPTimeouts: Sendable {
    /// From the start until the connection stands: name, TCP, proxy and TLS.
    public var connect: Duration
    /// No byte in either direction for so long, once connected. Time in which the consumer of the response or the
    /// producer of the request's body is slow does not count.
    /// Nil waits for ever.
    public var idle: Duration?
    /// From the start until the last byte of the body. Nil for streams.
    public var total: Duration?

    public init(connect: Duration = .seconds(10), idle: Duration? = .seconds(60), total: Duration? = nil) {
        self.connect = connect
        self.idle = idle
        self.total = total
    }
}
