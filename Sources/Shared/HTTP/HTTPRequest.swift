/// One request. Its body may be produced while it is sent.
public struct HTTPRequest: Sendable {
    public var method: String
    /// `http` or `https`, percent-encoded.
    public var url: String
    /// Sent in this order. `Host`, `User-Agent`, `Accept` and `Content-Length` are added if they are absent.
    public var headers: [(name: String, value: String)]
    /// nil sends no body, or an empty one for POST, PUT and PATCH.
    public var body: HTTPRequestBody?
    public var timeouts: HTTPTimeouts
    /// Anyone who knows the path may use it, as with the addresses of chat services. Errors then show only the host.
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

/// Timeouts, on a clock that also counts while the machine sleeps.
public struct HTTPTimeouts: Sendable {
    /// From the start until the connection is ready: name, TCP, proxy and TLS.
    public var connect: Duration
    /// The longest time without a byte in either direction, once connected. Time in which the consumer of the response
    /// or the producer of the request's body is slow does not count. nil for no limit.
    public var idle: Duration?
    /// From the start until the last byte of the body; nil for streams.
    public var total: Duration?

    public init(connect: Duration = .seconds(10), idle: Duration? = .seconds(60), total: Duration? = nil) {
        self.connect = connect
        self.idle = idle
        self.total = total
    }
}
