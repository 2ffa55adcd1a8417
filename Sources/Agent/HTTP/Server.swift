internal import Glibc
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Shared
internal import Synchronization

/// The HTTP/1.1 server of the agent's API.
///
/// One thread serves all connections, with a lower priority than the training and the log's writer. However many
/// clients ask, it takes at most one core.
struct Server: Sendable {
    /// The nice value of the serving thread, setpriority(2). A thread that wakes up to write a line still precedes it.
    private static let niceness: Int32 = 5

    private typealias Connection = NIOAsyncChannel<HTTPServerRequestPart, HTTPServerResponsePart>

    private let listener: NIOAsyncChannel<Connection, Never>
    private let executor: EventLoopExecutor
    private let routes: RouteTable
    private let limits: ServerLimits
    private let busy = BusyCount()

    /// Listens on `port` of the IP address `address`; 0 is a free port.
    ///
    /// A name would need the resolver of glibc, which loads libraries that a static program does not have.
    init(address: String, port: Int, routes: RouteTable, limits: ServerLimits = ServerLimits()) async throws {
        self.routes = routes
        self.limits = limits
        let eventLoop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
        executor = EventLoopExecutor(eventLoop)
        eventLoop.execute { setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, Self.niceness) }  // of the thread
        let budget = NIOLoopBoundBox.makeBoxSendingValue(
            ConnectionBudget(limits: limits, refusals: Refusals()), eventLoop: eventLoop)
        do {
            listener = try await ServerBootstrap(group: eventLoop)
                .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
                .serverChannelOption(.backlog, value: 1024)  // connections that may wait while followers are served
                .serverChannelOption(.maxMessagesPerRead, value: 16)  // connections taken at once
                .childChannelOptions(of: limits)
                .bind(to: try SocketAddress(ipAddress: address, port: port)) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHTTPHandlers(budget: budget.value, routes: routes)
                        return try Connection(
                            wrappingChannelSynchronously: channel,
                            configuration: NIOAsyncChannel.Configuration(
                                backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2)))
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
        try await withTaskExecutorPreference(executor) {
            try await listener.executeThenClose { connections in
                try await withThrowingDiscardingTaskGroup { group in
                    for try await connection in connections {
                        // An error of one connection ends only that connection.
                        group.addTask { try? await serve(connection) }
                    }
                }
            }
        }
    }

    /// Returns when no request is being served, or after `timeout`.
    func quiet(within timeout: Duration) async {
        _ = await busy.none().value(within: timeout)
    }

    /// Returns when requests have come, and none for `quiet`. Returns after `timeout` at the latest: a reader may still
    /// be on its way.
    func idle(for quiet: Duration, within timeout: Duration) async {
        let start = ContinuousClock.now
        while start.duration(to: .now) < timeout, !busy.isIdle(for: quiet) {
            try? await Task.sleep(for: .milliseconds(20))
        }
    }

    private func serve(_ connection: Connection) async throws {
        try await connection.executeThenClose { inbound, _ in
            let parts = RequestParts(inbound, channel: connection.channel, timeout: limits.body)
            while let head = try await parts.head() {
                busy.begin()
                defer { busy.end() }
                let body = parts.body(of: head)
                let response = await routes.respond(to: Request(head, body: body))
                if parts.isBroken { return }
                try await ResponseWriter(channel: connection.channel).write(response, to: head)
                guard head.isKeepAlive, try await parts.skip(body) else { return }
            }
        }
    }
}

extension ServerBootstrap {
    /// Probes a peer that is silent, so that one that vanished is found within a minute, tcp(7).
    fileprivate func childChannelOptions(of limits: ServerLimits) -> ServerBootstrap {
        let unacknowledged = SocketOptionValue(limits.unacknowledged.milliseconds)
        return childChannelOption(.tcpOption(.tcp_nodelay), value: 1)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelOption(.socketOption(.so_keepalive), value: 1)
            .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPIDLE)), value: 30)
            .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPINTVL)), value: 10)
            .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_KEEPCNT)), value: 3)
            .childChannelOption(.tcpOption(NIOBSDSocket.Option(rawValue: TCP_USER_TIMEOUT)), value: unacknowledged)
    }
}

extension ChannelPipeline.SynchronousOperations {
    fileprivate func addHTTPHandlers(budget: ConnectionBudget, routes: RouteTable) throws {
        let gate = ConnectionGate(budget: budget, routes: routes)
        var limits = NIOHTTPDecoderLimitConfiguration()
        limits.maxHeaderFieldSize = budget.limits.headBytes
        limits.maxHeaderListSize = budget.limits.headBytes
        limits.maxHeaderFieldCount = budget.limits.headFields
        try addHandler(ByteGate(gate))
        try configureHTTPServerPipeline(
            withErrorHandling: false, withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
        try addHandler(BadRequestHandler(refusals: budget.refusals))
        try addHandler(gate)
    }
}

/// Writes one response. Each write returns when the kernel has all bytes: a slow client costs the memory of one write,
/// and written bytes are not lost when this process ends.
struct ResponseWriter: Sendable {
    fileprivate let channel: any Channel

    func write(_ bytes: [UInt8]) async throws {
        try await write(ByteBuffer(bytes: bytes))
    }

    func write(_ bytes: ByteBuffer) async throws {
        try await write(.body(.byteBuffer(bytes)))
    }

    fileprivate func write(_ response: Response, to request: HTTPRequestHead) async throws {
        var headers = HTTPHeaders(response.headers)
        if !request.isKeepAlive { headers.add(name: "Connection", value: "close") }
        if let length = response.length { headers.add(name: "Content-Length", value: String(length)) }
        let status = HTTPResponseStatus(statusCode: response.status)
        try await write(.head(HTTPResponseHead(version: request.version, status: status, headers: headers)))
        if request.method != .HEAD {
            switch response.body {
            case .bytes(let bytes): try await write(bytes)
            case .stream(_, let produce): try await produce(self)
            }
        }
        try await write(.end(nil))
    }

    private func write(_ part: HTTPServerResponsePart) async throws {
        try await channel.writeAndFlush(part).get()
    }
}

/// Counts the requests that are being served.
private final class BusyCount: Sendable {
    private struct State {
        var count = 0
        /// When the last request ended; nil if none has.
        var lastEnd: ContinuousClock.Instant?
        var waiters: [Promise<Void>] = []
    }

    private let state = Mutex(State())

    func begin() { state.withLock { $0.count += 1 } }

    func end() {
        let waiters = state.withLock { state -> [Promise<Void>] in
            state.count -= 1
            state.lastEnd = .now
            guard state.count == 0 else { return [] }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters { waiter.fulfil(()) }
    }

    /// Whether there was a request, none is under way, and the last one ended at least `quiet` ago.
    func isIdle(for quiet: Duration) -> Bool {
        state.withLock { state in
            state.count == 0 && state.lastEnd.map { $0.duration(to: .now) >= quiet } ?? false
        }
    }

    /// Returns a promise that is fulfilled when the count is 0.
    func none() -> Promise<Void> {
        let promise = Promise<Void>()
        let isQuiet = state.withLock { state in
            if state.count > 0 { state.waiters.append(promise) }
            return state.count == 0
        }
        if isQuiet { promise.fulfil(()) }
        return promise
    }
}
