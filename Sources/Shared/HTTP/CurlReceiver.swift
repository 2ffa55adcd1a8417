/// What libcurl calls back: takes the head apart, passes the body on, hands out the body of the request.
///
/// Lives on the transfer's thread.
final class CurlReceiver {
    private let pipe: ResponsePipe
    private let outgoing: [UInt8]
    private var sent = 0
    private var parser = HeadParser()
    private var isHeadDelivered = false

    /// When the last byte went in either direction, or the consumer let the stream go on.
    private(set) var lastByte = ContinuousClock.now
    /// The consumer holds the stream up.
    private(set) var isPaused = false
    /// Why a callback refused to go on.
    private(set) var error: HTTPError?

    init(pipe: ResponsePipe, body: [UInt8]) {
        self.pipe = pipe
        self.outgoing = body
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

    /// Copies the next bytes of the request's body; 0 is its end.
    func fill(_ buffer: UnsafeMutableRawBufferPointer) -> Int {
        touch()
        let count = min(buffer.count, outgoing.count - sent)
        outgoing.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[sent..<sent + count])) }
        sent += count
        return count
    }
}
