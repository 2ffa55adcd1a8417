/// The bytes of a response in the chunks they arrived in, none of them empty; what gathers while the consumer is busy comes as one.
///
/// It can be read once. When the connection breaks, all that arrived is handed out before the error is thrown.
public struct HTTPBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]
    public typealias Failure = HTTPError

    private let pull: @Sendable () async throws(HTTPError) -> [UInt8]?

    /// A body that asks `pull` for each chunk; nil is the end. It owns what `pull` captures.
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
