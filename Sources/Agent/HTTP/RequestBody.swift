internal import NIOCore
internal import Shared
internal import Synchronization

/// The body of a request. A route pulls it piece by piece; the server reads no more from the connection than that.
final class RequestBody: Sendable {
    /// The value of `Content-Length`; nil if the client sends chunks.
    let length: Int?
    private let pull: @Sendable () async throws -> ByteBuffer?
    private let state = Mutex(State())

    private struct State {
        var limit = Int.max
        /// Bytes that were pulled.
        var count = 0
        var isOver = false
    }

    /// `pull` returns the next bytes, nil at the end, and throws if the connection breaks before that.
    init(length: Int?, pull: @escaping @Sendable () async throws -> ByteBuffer?) {
        self.length = length
        self.pull = pull
    }

    convenience init(_ bytes: [UInt8] = []) {
        let rest = Mutex<ByteBuffer?>(bytes.isEmpty ? nil : ByteBuffer(bytes: bytes))
        self.init(length: bytes.count) {
            rest.withLock { rest in
                defer { rest = nil }
                return rest
            }
        }
    }

    /// Makes more than `limit` bytes an error from now on.
    func limit(to limit: Int) throws(APIError) {
        state.withLock { $0.limit = limit }
        if let length, length > limit { throw Self.tooLarge(limit) }
    }

    /// The next bytes, at least one; nil at the end. One task at a time may ask.
    func next() async throws -> ByteBuffer? {
        if state.withLock(\.isOver) { return nil }
        let piece = try await pull()
        let (count, limit) = state.withLock { state in
            state.count += piece?.readableBytes ?? 0
            state.isOver = piece == nil
            return (state.count, state.limit)
        }
        if count > limit { throw Self.tooLarge(limit) }
        return piece
    }

    /// Returns the whole body. Only for small bodies.
    func collect() async throws -> [UInt8] {
        var bytes: [UInt8] = []
        while let piece = try await next() { bytes += piece.readableBytesView }
        return bytes
    }

    /// Reads and drops up to `limit` bytes. Returns whether the body has ended.
    func drain(limit: Int) async throws -> Bool {
        state.withLock { $0.limit = .max }
        var count = 0
        while count <= limit {
            guard let piece = try await next() else { return true }
            count += piece.readableBytes
        }
        return false
    }

    private static func tooLarge(_ limit: Int) -> APIError {
        APIError(.tooLarge, "the body is longer than \(limit) bytes")
    }
}
