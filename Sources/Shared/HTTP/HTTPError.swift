/// Why a request brought no (whole) response. A response with any status, 500 included, is a value and never an error.
public struct HTTPError: Error, Sendable, Equatable {
    public enum Code: String, Sendable {
        /// The host could not be resolved or refused the connection; no byte of the request was sent.
        case unreachable
        /// A time of `HTTPTimeouts` ran out.
        case timedOut
        /// The other side could not prove who it is, or speaks no TLS that we do.
        case tls
        /// The connection was lost in the middle: no head, or fewer bytes than announced.
        case interrupted
        /// The task was cancelled.
        case cancelled
        /// The request's body could not be produced as it was announced.
        case bodyFailed
        /// The body is longer than the caller takes.
        case tooLarge
        /// The request cannot be sent as it is: its URL, scheme, method or a header.
        case invalidRequest
        /// What came is not HTTP.
        case protocolError
        /// This machine lacks memory, threads or descriptors.
        case outOfResources
    }

    public let code: Code
    /// One sentence, lower case, no full stop; names the URL without its query, which may hold a key.
    public let message: String
    /// What the person can do about it.
    public let hint: String?
    /// The CURLcode behind it, see libcurl-errors(3); nil where libcurl had no part in it.
    public let curlCode: Int32?

    public init(_ code: Code, _ message: String, hint: String? = nil, curlCode: Int32? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.curlCode = curlCode
    }

    /// The same request may well succeed a little later. Says nothing of whether repeating it is safe.
    public var isPassing: Bool {
        switch code {
        case .unreachable, .timedOut, .interrupted, .outOfResources: true
        // 35: the handshake broke off, CURLE_SSL_CONNECT_ERROR. A bad certificate has other numbers and does not pass.
        case .tls: curlCode == 35
        case .cancelled, .bodyFailed, .tooLarge, .invalidRequest, .protocolError: false
        }
    }
}

extension HTTPError: CustomStringConvertible {
    public var description: String { message }
}
