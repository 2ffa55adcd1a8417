/// Sends requests with libcurl: HTTP/1.1, plain or TLS, each with its own connection and thread.
///
/// A thread for each request costs some ten microseconds. It waits in `curl_multi_poll` for bytes, timeouts and
/// cancellation, and no other thread touches its handle. Proxies come from the environment as with curl(1), but never
/// for loopback.
public struct CurlTransport: HTTPTransport {
    /// The certificate authorities that are trusted.
    public enum Trust: Sendable {
        /// Those that libcurl was built to find on this machine.
        case system
        /// Only these: certificates in PEM, one after the other.
        case pem([UInt8])
    }

    private let options: CurlOptions
    private let buffer: Int

    /// - Parameters:
    ///   - userAgent: As `program/version`. A `User-Agent` of the request wins over it.
    ///   - buffer: Bytes that are held for a slow consumer before the transfer pauses. One more write of libcurl, 16 kB,
    ///     may be added.
    public init(userAgent: String = "launch", trust: Trust = .system, buffer: Int = 256 << 10) {
        options = CurlOptions(userAgent: userAgent, trust: trust)
        self.buffer = buffer
    }

    public func open(_ request: HTTPRequest) async throws(HTTPError) -> HTTPExchange {
        let pipe = ResponsePipe(capacity: buffer)
        let lease = Lease(pipe: pipe)
        let options = options
        let outgoing = RequestPipe(request.body?.bytes ?? [], isWhole: request.body?.isStream != true)
        var pump: Task<Void, Never>?
        if case .stream(_, let next) = request.body {
            pump = Task { await HTTPRequestBody.pump(next, into: outgoing) }
        }
        do throws(HTTPError) {
            try startThread { [pump] in
                Transfer(request, options, pipe, outgoing).run()
                pump?.cancel()
            }
        } catch {
            outgoing.close()
            pump?.cancel()
            throw error
        }
        let head = try await pipe.head()
        return HTTPExchange(head: head, body: HTTPBody { () throws(HTTPError) in try await lease.pipe.next() })
    }
}

/// Cancels the transfer when no reader of its body is left.
private final class Lease: Sendable {
    let pipe: ResponsePipe

    init(pipe: ResponsePipe) {
        self.pipe = pipe
    }

    deinit { pipe.cancel() }
}
