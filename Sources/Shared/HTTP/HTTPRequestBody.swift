/// The body of a request: bytes, or a stream that is pulled as fast as the connection takes it.
public enum HTTPRequestBody: Sendable {
    /// Returns the next chunk of a stream; nil at the end. It may be slow: the transfer waits without a timeout.
    public typealias Next = @Sendable () async throws -> [UInt8]?

    case bytes([UInt8])
    /// A stream of `length` bytes; it is sent in chunks if `length` is nil. An error of `next` ends the transfer as
    /// `.bodyFailed`.
    case stream(length: Int?, next: Next)

    /// The whole body; nil for a stream.
    public var bytes: [UInt8]? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }

    var isStream: Bool { bytes == nil }

    /// The value of `Content-Length`; nil if the body is sent in chunks.
    var length: Int? {
        switch self {
        case .bytes(let bytes): bytes.count
        case .stream(let length, _): length
        }
    }

    /// Puts the chunks of `next` into `pipe` until they end or the transfer has ended.
    static func pump(_ next: Next, into pipe: RequestPipe) async {
        do {
            while let chunk = try await next() {
                if !(await pipe.put(chunk)) { return }
            }
            pipe.finish(.success(()))
        } catch {
            pipe.finish(.failure(HTTPError(.bodyFailed, "could not read what was to be sent: \(error)")))
        }
    }
}
