/// Requests over libcurl: HTTP/1.1, plain or TLS, each with a connection and a thread of its own.
///
/// A thread per request costs some ten microseconds and keeps everything simple: it waits in `curl_multi_poll`, so it sees bytes,
/// times and cancellation alike, and it is the only one that ever touches its curl handle. Proxies are taken from the
/// environment as curl(1) does, but never for loopback.
public struct CurlTransport: HTTPTransport {
    /// Which certificate authorities are believed.
    public enum Trust: Sendable {
        /// Those libcurl was built to find on this machine.
        case system
        /// Only these: certificates in PEM, one after the other.
        case pem([UInt8])
    }

    private let options: CurlOptions
    private let buffer: Int

    /// - Parameters:
    ///   - userAgent: As `program/version`. A `User-Agent` of the request wins over it.
    ///   - buffer: The bytes held for a slow consumer before the transfer pauses; one more write of libcurl (16 kB) may come on top.
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

/// Cancels the transfer when nobody can read its body any more.
private final class Lease: Sendable {
    let pipe: ResponsePipe

    init(pipe: ResponsePipe) {
        self.pipe = pipe
    }

    deinit { pipe.cancel() }
}
