internal import NIOCore
internal import NIOHTTP1
internal import Shared

/// The gate of one connection: it lets requests through to the routes that their heads alone justify.
///
/// A refused request gets its response here and the connection ends. No further byte of it is read.
final class ConnectionGate: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    private enum State {
        /// No head is complete.
        case waiting
        /// A request has been let through and its response has not ended.
        case serving
        case refused
    }

    private let budget: ConnectionBudget
    private let routes: RouteTable
    private var state = State.waiting
    private var context: ChannelHandlerContext?
    private var timer: Scheduled<Void>?
    private(set) var idleSince = NIODeadline.now()
    private(set) var isProven = false
    /// Bytes that the connection may still send before its next response.
    private var bytesLeft: Int

    /// No request is under way.
    var isWaiting: Bool { state == .waiting }

    init(budget: ConnectionBudget, routes: RouteTable) {
        self.budget = budget
        self.routes = routes
        bytesLeft = budget.limits.unprovenBytes
    }

    func close() { context?.close(promise: nil) }

    /// Counts bytes that came. Returns false if they are more than a connection without a token may send.
    func take(_ count: Int) -> Bool {
        if isProven { return true }
        bytesLeft -= count
        return bytesLeft >= 0
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        budget.admit(self)
        expectHead(within: budget.limits.firstHead)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
        budget.remove(self)
        self.context = nil
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        budget.remove(self)
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if state == .refused { return }
        if case .head(let head) = Self.unwrapInboundIn(data) {
            timer?.cancel()
            if let refusal = refusal(of: head) { return refuse(head, with: refusal, in: context) }
            state = .serving
        }
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        if state != .refused { context.read() }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if state == .refused {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.write(data, promise: promise)
        guard case .end = Self.unwrapOutboundIn(data) else { return }
        state = .waiting
        idleSince = .now()
        bytesLeft = budget.limits.unprovenBytes
        expectHead(within: budget.limits.nextHead)
    }

    // MARK: - Deciding

    private func refusal(of head: HTTPRequestHead) -> Response? {
        do throws(APIError) {
            let admission = try routes.admit(head)
            if admission == .token {
                isProven = budget.prove(self)
                if !isProven { throw APIError(.unavailable, "too many clients", hint: "ask again in a minute") }
            } else if !isProven, head.hasBody {
                throw APIError(.tooLarge, "a request without a token has no body")
            }
            return nil
        } catch {
            budget.refusals.count(error.code == .unauthorized ? .badToken : .malformed)
            return routes.signed(.error(error))
        }
    }

    private func refuse(_ head: HTTPRequestHead, with response: Response, in context: ChannelHandlerContext) {
        state = .refused
        // The next one to make room.
        idleSince = .distantPast
        var headers = HTTPHeaders(response.headers)
        headers.add(name: "Connection", value: "close")
        headers.add(name: "Content-Length", value: String(response.length ?? 0))
        let status = HTTPResponseStatus(statusCode: response.status)
        let version: HTTPVersion = head.version.major == 1 ? head.version : .http1_1
        context.write(
            Self.wrapOutboundOut(.head(HTTPResponseHead(version: version, status: status, headers: headers))),
            promise: nil)
        if head.method != .HEAD, case .bytes(let bytes) = response.body {
            context.write(Self.wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        }
        context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        context.close(mode: .output, promise: nil)
        // To close with unread bytes is to reset, which may take the response from the client.
        close(in: context, after: budget.limits.refusalRead)
    }

    // MARK: - Deadlines

    private func expectHead(within limit: Duration) {
        guard let context else { return }
        timer?.cancel()
        let isHere = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .milliseconds(Int64(limit.milliseconds))) {
            let gate = isHere.value
            if !gate.isProven { gate.budget.refusals.count(.tooSlow) }
            gate.close()
        }
    }

    private func close(in context: ChannelHandlerContext, after delay: Duration) {
        let isHere = NIOLoopBound(self, eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: .milliseconds(Int64(delay.milliseconds))) { isHere.value.close() }
    }
}

/// Closes a connection that sends more than its gate allows, before any of it is understood.
final class ByteGate: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let gate: ConnectionGate
    private var isClosed = false

    init(_ gate: ConnectionGate) { self.gate = gate }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if isClosed { return }
        guard gate.take(Self.unwrapInboundIn(data).readableBytes) else {
            isClosed = true
            context.close(promise: nil)
            return
        }
        context.fireChannelRead(data)
    }
}

extension HTTPRequestHead {
    var hasBody: Bool {
        headers.contains(name: "Transfer-Encoding") || headers["Content-Length"].contains { $0 != "0" }
    }
}
