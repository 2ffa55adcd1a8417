internal import NIOCore
internal import NIOHTTP1
internal import Shared

/// The requests of one connection, each a head and a body that is read as a route pulls it.
///
/// One task at a time pulls: the connection's own, or the route that it waits for.
final class RequestParts: @unchecked Sendable {
    /// The largest number of bytes of a body that are read after its response. A connection that ends with unread bytes
    /// may lose the response.
    private static let skipped = 8 << 20

    private var parts: NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
    private let channel: any Channel
    private let timeout: Duration
    /// Whether the connection ended in the middle of a request.
    private(set) var isBroken = false
    /// Whether the client waits for a 100 before it sends the body.
    private var isWaiting = false

    /// A client that sends no byte of a body for `timeout` while a route waits for it is disconnected.
    init(_ parts: NIOAsyncChannelInboundStream<HTTPServerRequestPart>, channel: any Channel, timeout: Duration) {
        self.parts = parts.makeAsyncIterator()
        self.channel = channel
        self.timeout = timeout
    }

    /// Returns the head of the next request; nil at the end of the connection.
    func head() async throws -> HTTPRequestHead? {
        guard case .head(let head)? = try await parts.next() else { return nil }
        isWaiting = head.headers.first(name: "Expect")?.lowercased() == "100-continue"
        return head
    }

    func body(of head: HTTPRequestHead) -> RequestBody {
        let isChunked = head.headers.contains(name: "Transfer-Encoding")
        let length = head.headers.first(name: "Content-Length").flatMap { Int($0) }
        return RequestBody(length: isChunked ? nil : length ?? 0) { [self] in try await next(of: head) }
    }

    /// Reads the rest of a body that a route left. Returns whether the next request can be read.
    func skip(_ body: RequestBody) async throws -> Bool {
        // The client never sends the body, because no 100 was sent.
        if isWaiting { return false }
        return try await body.drain(limit: Self.skipped)
    }

    private func next(of head: HTTPRequestHead) async throws -> ByteBuffer? {
        if isWaiting {
            isWaiting = false
            let word = HTTPResponseHead(version: head.version, status: .continue)
            try await channel.writeAndFlush(HTTPServerResponsePart.head(word)).get()
        }
        let timer = channel.eventLoop.scheduleTask(in: .milliseconds(Int64(timeout.milliseconds))) { [channel] in
            channel.close(promise: nil)
        }
        defer { timer.cancel() }
        let part: HTTPServerRequestPart?
        do { part = try await parts.next() } catch { part = nil }
        switch part {
        case .body(let bytes)?: return bytes
        case .end?: return nil
        case .head?, nil:
            isBroken = true
            throw APIError(.badRequest, "the connection ended in the middle of a request")
        }
    }
}
