/// The reason why a request has no complete response. A response with any status, also 500, is a value and no error.
public struct HTTPError: Error, Sendable, Equatable {
    public enum Code: String, Sendable {
        /// The host could not be resolved or refused the connection; no byte of the request was sent.
        case unreachable
        /// A timeout of `HTTPTimeouts` passed.
        case timedOut
        /// The other side could not prove its identity, or speaks no TLS that libcurl supports.
        case tls
        /// The connection was lost before the head, or before the announced number of bytes.
        case interrupted
        /// The task was cancelled.
        case cancelled
        /// The request's body could not be produced as announced.
        case bodyFailed
        /// The body is longer than the caller allows.
        case tooLarge
        /// The request cannot be sent because of its URL, scheme, method or a header.
        case invalidRequest
        /// The reply is not HTTP.
        case protocolError
        /// This machine lacks memory, threads or descriptors.
        case outOfResources
    }

    public let code: Code
    /// One sentence in lower case, without a full stop. It names the URL without the query, which may hold a key.
    public let message: String
    /// Advice for the user.
    public let hint: String?
    /// The code of libcurl-errors(3) behind the error; nil if there is none.
    public let curlCode: Int32?

    public init(_ code: Code, _ message: String, hint: String? = nil, curlCode: Int32? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.curlCode = curlCode
    }

    /// Whether the same request may succeed a little later. Does not tell whether repeating it is safe.
    public var isPassing: Bool {
        switch code {
        case .unreachable, .timedOut, .interrupted, .outOfResources: true
        // 35 is CURLE_SSL_CONNECT_ERROR: the handshake broke. A bad certificate has other codes and does not pass.
        case .tls: curlCode == 35
        case .cancelled, .bodyFailed, .tooLarge, .invalidRequest, .protocolError: false
        }
    }
}

extension HTTPError: CustomStringConvertible {
    public var description: String { message }
}
