/// The bytes of a response, in chunks as they arrived. No chunk is empty. Bytes that arrive while the consumer is busy
/// come as one chunk.
///
/// It can be read once. If the connection breaks, the bytes that arrived come before the error.
public struct HTTPBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = HTTPError

    private let pull: @Sendable () async throws(HTTPError) -> [UInt8]?

    /// Creates a body that calls `pull` for each chunk; nil is the end. The body owns the captures of `pull`.
    public init(pull: @escaping @Sendable () async throws(HTTPError) -> [UInt8]?) {
        self.pull = pull
    }

    public func makeAsyncIterator() -> Iterator { Iterator(pull: pull) }

    public struct Iterator: AsyncIteratorProtocol {
        fileprivate let pull: @Sendable () async throws(HTTPError) -> [UInt8]?

        public mutating func next(
            isolation actor: isolated (any Actor)? = #isolation
        ) async throws(HTTPError) -> [UInt8]? {
            try await pull()
        }
    }
}
