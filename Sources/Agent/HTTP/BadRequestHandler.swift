internal import NIOCore
internal import NIOHTTP1

/// Answers 400 to bytes that are not HTTP and 431 to a head over the limits, unless a request is being served.
///
/// NIO's own handler also answers a request whose body breaks off, although its route answers it.
final class BadRequestHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// Whether a request has begun and has not ended.
    private var isReading = false
    /// Whether the response is not complete.
    private var isAnswering = false
    /// Whether the connection has had its answer and is about to close.
    private var isOver = false
    private let refusals: Refusals

    init(refusals: Refusals) { self.refusals = refusals }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch Self.unwrapInboundIn(data) {
        case .head: (isReading, isAnswering) = (true, true)
        case .body: break
        case .end: isReading = false
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = Self.unwrapOutboundIn(data) { isAnswering = false }
        context.write(data, promise: promise)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? HTTPParserError, !isReading, !isAnswering, !isOver {
            isOver = true
            // A connection that ended in the middle of a head is no malformed request.
            if error != .invalidEOFState { refusals.count(.malformed) }
            let status: HTTPResponseStatus = error == .headerOverflow ? .requestHeaderFieldsTooLarge : .badRequest
            let headers = HTTPHeaders([("Connection", "close"), ("Content-Length", "0")])
            let head = HTTPResponseHead(version: .http1_1, status: status, headers: headers)
            context.write(Self.wrapOutboundOut(.head(head)), promise: nil)
            context.writeAndFlush(Self.wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.fireErrorCaught(error)
    }
}
