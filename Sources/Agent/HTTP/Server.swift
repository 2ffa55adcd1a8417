internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Shared
internal import Synchronization

/// The HTTP/1.1 server of the agent's API.
struct Server: Sendable {
    /// Bytes of a request's body that are read into memory.
    static let bodyLimit = 1 << 20

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private let listener: NIOAsyncChannel<Connection, Never>
    private let router: Router
    private let busy = BusyCount()

    /// Listens on `port` of the IP address `address`; on a free port where it is 0.
    ///
    /// A name would go through the resolver of glibc, which loads libraries that a static program must do without.
    init(address: String, port: Int, router: Router) async throws {
        self.router = router
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        do {
            listener = try await ServerBootstrap(group: group)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
                .bind(to: try SocketAddress(ipAddress: address, port: port)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: true)
                        return try Connection(wrappingChannelSynchronously: channel)
                    }
                }
        } catch {
            throw Problem("could not listen on \(address):\(port): \(error)")
        }
    }

    /// The port that it listens on.
    var port: Int { listener.channel.localAddress?.port ?? 0 }

    /// Serves until the task is cancelled.
    func run() async throws {
        try await listener.executeThenClose { connections in
            try await withThrowingDiscardingTaskGroup { group in
                for try await connection in connections {
                    // A connection that breaks is its peer's loss alone.
                    group.addTask { try? await serve(connection) }
                }
            }
        }
    }

    /// Returns when no request is under way any more, or after `patience`.
    func quiet(within patience: Duration) async {
        _ = await busy.none().value(within: patience)
    }

    private func serve(_ connection: Connection) async throws {
        try await connection.executeThenClose { inbound, outbound in
            var parts = inbound.makeAsyncIterator()
            while case .head(let head)? = try await parts.next() {
                var body = ByteBuffer()
                var isTooLarge = false
                while case .body(let part)? = try await parts.next() {
                    isTooLarge = isTooLarge || body.readableBytes + part.readableBytes > Self.bodyLimit
                    if !isTooLarge { body.writeImmutableBuffer(part) }
                }
                busy.begin()
                defer { busy.end() }
                let request = Request(head, body: Array(body.readableBytesView))
                let response = isTooLarge ? .tooLarge : await router.respond(to: request)
                let writer = ResponseWriter(outbound: outbound, eventLoop: connection.channel.eventLoop)
                try await writer.write(response, to: head)
                try await drain(connection.channel)
                if !head.isKeepAlive { return }
            }
        }
    }

    /// Returns once the kernel has all that was written: what is still in this process when it ends is lost.
    private func drain(_ channel: any Channel) async throws {
        while try await channel.getOption(.bufferedWritableBytes).get() > 0 {
            try await Task.sleep(for: .milliseconds(5))
        }
    }
}

/// Writes one response. Each write waits for the peer to keep up, so a slow one costs no memory.
struct ResponseWriter: Sendable {
    fileprivate let outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
    fileprivate let eventLoop: any EventLoop

    func write(_ bytes: ByteBuffer) async throws {
        try await outbound.write(.body(.byteBuffer(bytes)))
        // The writer learns that the peer is slow only once the event loop has come to this write; until then it would take any number.
        try await eventLoop.submit {}.get()
    }

    fileprivate func write(_ response: Response, to request: HTTPRequestHead) async throws {
        var headers = HTTPHeaders(response.headers)
        if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
        if let length = response.length { headers.add(name: "Content-Length", value: String(length)) }
        let status = HTTPResponseStatus(statusCode: response.status)
        try await outbound.write(.head(HTTPResponseHead(version: request.version, status: status, headers: headers)))
        if request.method != .HEAD {
            switch response.body {
            case .bytes(let bytes): try await write(ByteBuffer(bytes: bytes))
            case .stream(_, let produce): try await produce(self)
            }
        }
        try await outbound.write(.end(nil))
    }
}

/// Counts the requests under way.
private final class BusyCount: Sendable {
    private struct State {
        var count = 0
        var waiters: [Promise<Void>] = []
    }

    private let state = Mutex(State())

    func begin() { state.withLock { $0.count += 1 } }

    func end() {
        let waiters = state.withLock { state -> [Promise<Void>] in
            state.count -= 1
            guard state.count == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.keep(()) }
    }

    /// Kept once there is none.
    func none() -> Promise<Void> {
        let promise = Promise<Void>()
        let isQuiet = state.withLock { state in
            if state.count > 0 { state.waiters.append(promise) }
            return state.count == 0
        }
        if isQuiet { promise.keep(()) }
        return promise
    }
}
