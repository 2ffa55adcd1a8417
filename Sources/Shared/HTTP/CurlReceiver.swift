/// Takes the callbacks of libcurl: parses the head, passes on the body, and supplies the body of the request.
///
/// Belongs to the thread of the transfer.
final class CurlReceiver {
    private let pipe: ResponsePipe
    private let outgoing: RequestPipe
    /// The length of the request's body in bytes; nil if it is sent in chunks.
    private let length: Int?
    private var sent = 0
    private var parser = HeadParser()
    private var isHeadDelivered = false

    /// The time of the last byte in either direction, or at which the consumer made the stream continue.
    private(set) var lastByte = ContinuousClock.now
    /// Whether the stream waits for the consumer.
    private(set) var isPaused = false
    /// Whether the stream waits for the next bytes of the request's body.
    private(set) var isStarved = false
    /// The reason why a callback ended the transfer.
    private(set) var error: HTTPError?

    init(pipe: ResponsePipe, outgoing: RequestPipe, length: Int?) {
        self.pipe = pipe
        self.outgoing = outgoing
        self.length = length
    }

    func touch() {
        lastByte = .now
    }

    /// Takes one line of a head, or a trailer. Returns false to end the transfer.
    func header(_ line: UnsafeRawBufferPointer) -> Bool {
        touch()
        // Trailers of a chunked body come here too. They are ignored.
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

    /// The result of a call for the next bytes of the request's body.
    enum Fill {
        /// This many bytes are in the buffer; 0 at the end of the body.
        case bytes(Int)
        /// The producer has no bytes yet.
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
