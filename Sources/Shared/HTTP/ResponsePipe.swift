internal import Synchronization

/// Passes a response from the thread of the transfer to the task that reads it.
///
/// Holds at most `capacity` bytes and one more write of libcurl. Only the first end counts. A cancelled pipe drops its
/// bytes; after any other end they can still be read.
final class ResponsePipe: Sendable {
    /// The next action of the transfer's thread.
    enum Demand { case carryOn, resume, stop }
    /// The result of a delivery.
    enum Verdict { case taken, full, over }

    private struct State {
        var head: HTTPHead?
        var buffer: [UInt8] = []
        var end: Result<Void, HTTPError>?
        var isFull = false
        var wantsResume = false
        var waiters: [@Sendable () -> Void] = []
        var wake: (@Sendable () -> Void)?

        mutating func takeWaiters() -> [@Sendable () -> Void] {
            defer { waiters = [] }
            return waiters
        }

        /// Returns the bytes of the buffer and empties it. A transfer that waited for room resumes.
        mutating func takeBuffer() -> [UInt8] {
            defer { buffer = [] }
            if isFull {
                isFull = false
                wantsResume = true
                wake?()
            }
            return buffer
        }
    }

    private let capacity: Int
    private let state = Mutex(State())

    init(capacity: Int) {
        self.capacity = capacity
    }

    // MARK: The thread's side

    /// `wake` ends the wait of the thread. It is called under the lock, so never after `detach`.
    func attach(wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wake = wake }
    }

    func detach() {
        state.withLock { $0.wake = nil }
    }

    func demand() -> Demand {
        state.withLock {
            if $0.end != nil { return .stop }
            guard $0.wantsResume else { return .carryOn }
            $0.wantsResume = false
            return .resume
        }
    }

    func deliver(_ head: HTTPHead) {
        change { $0.head = head }
    }

    /// Delivers `bytes`. The verdict `.full` means that none were taken; a demand to resume follows.
    func deliver(_ bytes: UnsafeRawBufferPointer) -> Verdict {
        change {
            if $0.end != nil { return .over }
            if $0.buffer.count >= capacity {
                $0.isFull = true
                return .full
            }
            $0.buffer += bytes
            return .taken
        }
    }

    func finish(_ end: Result<Void, HTTPError>) {
        change { if $0.end == nil { $0.end = end } }
    }

    // MARK: The task's side

    func head() async throws(HTTPError) -> HTTPHead {
        try await take {
            if let head = $0.head { return .success(head) }
            return $0.end.map { end in
                end.flatMap { .failure(HTTPError(.protocolError, "the response had no head")) }
            }
        }
    }

    /// Returns the bytes that have arrived, at least one; nil at the end.
    func next() async throws(HTTPError) -> [UInt8]? {
        try await take {
            if !$0.buffer.isEmpty { return .success($0.takeBuffer()) }
            return $0.end.map { end in end.map { nil } }
        }
    }

    /// Ends the transfer if it has not ended.
    func cancel() {
        change {
            guard $0.end == nil else { return }
            $0.end = .failure(HTTPError(.cancelled, "the request was cancelled"))
            $0.buffer = []
            $0.wake?()
        }
    }

    // MARK: -

    /// Changes the state and makes waiting tasks check it again.
    private func change<Outcome>(_ body: (inout State) -> Outcome) -> Outcome {
        let (outcome, waiters) = state.withLock { (body(&$0), $0.takeWaiters()) }
        for resume in waiters { resume() }
        return outcome
    }

    /// Waits until `answer` is not nil. Cancels the transfer if the task is cancelled.
    private func take<Value>(
        _ answer: @escaping @Sendable (inout State) -> Result<Value, HTTPError>?
    ) async throws(HTTPError) -> Value {
        let result: Result<Value, HTTPError> = await withTaskCancellationHandler {
            while true {
                let found: Result<Value, HTTPError>? = await withCheckedContinuation { continuation in
                    let now = state.withLock { state in
                        let now = answer(&state)
                        if now == nil { state.waiters.append { continuation.resume(returning: nil) } }
                        return now
                    }
                    if let now { continuation.resume(returning: now) }
                }
                if let found { return found }
            }
        } onCancel: {
            cancel()
        }
        return try result.get()
    }
}
