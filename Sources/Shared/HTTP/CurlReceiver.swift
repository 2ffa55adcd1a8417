/// What libcurl calls back: takes the head apart, passes the body on, hands out the body of the request.
///
/// Lives on the transfer's thread.
final class CurlReceiver {
    private let pipe: ResponsePipe
    private let outgoing: RequestPipe
    /// Bytes of the request's body; nil if it is sent in chunks.
    private let length: Int?
    private var sent = 0
    private var parser = HeadParser()
    private var isHeadDelivered = false

    /// When the last byte went in either direction, or the consumer let the stream go on.
    private(set) var lastByte = ContinuousClock.now
    /// The consumer holds the stream up.
    private(set) var isPaused = false
    /// The request's body has no bytes at the moment.
    private(set) var isStarved = false
    /// Why a callback refused to go on.
    private(set) var error: HTTPError?

    init(pipe: ResponsePipe, outgoing: RequestPipe, length: Int?) {
        self.pipe = pipe
        self.outgoing = outgoing
        self.length = length
    }

    func touch() {
        lastByte = .now
    }

    /// One line of a head, or a trailer. False ends the transfer.
    func header(_ line: UnsafeRawBufferPointer) -> Bool {
        touch()
        // Trailers of a chunked body come here too; nobody asks for them.
        if isHeadDelivered { return true }
        do {
            if let head = try parser.take(line) {
                isHeadDelivered = true
                pipe.deliver(head)
            }
            return true
        } catch {
            self.error = error
            return false
        }
    }

    func body(_ bytes: UnsafeRawBufferPointer) -> ResponsePipe.Verdict {
        touch()
        let verdict = pipe.deliver(bytes)
        isPaused = verdict == .full
        return verdict
    }

    /// What became of a buffer for the next bytes of the request's body.
    enum Fill {
        /// So many are in it; 0 at the end.
        case bytes(Int)
        /// There are none yet.
        case none
        case failed
    }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Fill {
        touch()
        isStarved = false
        switch outgoing.take(buffer.count) {
        case .bytes(let bytes):
            sent += bytes.count
            if let length, sent > length { return fail("there is more to send than the \(length) bytes announced") }
            bytes.withUnsafeBytes { buffer.copyMemory(from: $0) }
            return .bytes(bytes.count)
        case .none:
            isStarved = true
            return .none
        case .end:
            if let length, sent < length { return fail("there are \(sent) bytes to send, not \(length)") }
            return .bytes(0)
        case .failed(let error):
            self.error = error
            return .failed
        }
    }

    private func fail(_ message: String) -> Fill {
        error = HTTPError(.bodyFailed, message)
        return .failed
    }
}
