internal import Synchronization

/// Passes a request's body from the task that produces it to the thread of the transfer.
///
/// Holds one chunk. The producer waits until the transfer has taken it.
final class RequestPipe: Sendable {
    /// The next bytes for the transfer.
    enum Portion {
        case bytes([UInt8])
        /// There are none yet. A demand to resume follows.
        case none
        case end
        case failed(HTTPError)
    }

    private struct State {
        var chunk: [UInt8] = []
        /// Bytes of the chunk that were taken.
        var taken = 0
        var end: Result<Void, HTTPError>?
        /// The transfer has ended and takes no more.
        var isClosed = false
        /// The transfer waits for bytes.
        var isStarved = false
        var wantsResume = false
        var waiter: CheckedContinuation<Void, Never>?
        var wake: (@Sendable () -> Void)?

        mutating func resume() {
            guard isStarved else { return }
            isStarved = false
            wantsResume = true
            wake?()
        }

        mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
            defer { waiter = nil }
            return waiter
        }
    }

    private let state = Mutex(State())

    /// Begins with `chunk`. It is the whole body if `isWhole`.
    init(_ chunk: [UInt8] = [], isWhole: Bool = false) {
        state.withLock { state in
            state.chunk = chunk
            if isWhole { state.end = .success(()) }
        }
    }

    // MARK: The thread's side

    /// `wake` ends the wait of the thread. It is called under the lock, so never after `close`.
    func attach(wake: @escaping @Sendable () -> Void) {
        state.withLock { $0.wake = wake }
    }

    /// Tells the producer that the transfer has ended.
    func close() {
        state.withLock { state in
            state.wake = nil
            state.isClosed = true
            return state.takeWaiter()
        }?.resume()
    }

    /// Whether bytes have come since the transfer found none.
    func takeResume() -> Bool {
        state.withLock { state in
            defer { state.wantsResume = false }
            return state.wantsResume
        }
    }

    /// Takes at most `limit` bytes.
    func take(_ limit: Int) -> Portion {
        let (portion, waiter) = state.withLock { state -> (Portion, CheckedContinuation<Void, Never>?) in
            guard state.taken < state.chunk.count else {
                switch state.end {
                case .success?: return (.end, nil)
                case .failure(let error)?: return (.failed(error), nil)
                case nil:
                    state.isStarved = true
                    return (.none, nil)
                }
            }
            let bytes = Array(state.chunk[state.taken...].prefix(limit))
            state.taken += bytes.count
            let isEmpty = state.taken == state.chunk.count
            return (.bytes(bytes), isEmpty ? state.takeWaiter() : nil)
        }
        waiter?.resume()
        return portion
    }

    // MARK: The task's side

    /// Hands over `chunk` and returns once it was taken. Returns false if the transfer has ended.
    func put(_ chunk: [UInt8]) async -> Bool {
        if chunk.isEmpty { return true }
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                guard !state.isClosed else { return true }
                (state.chunk, state.taken) = (chunk, 0)
                state.waiter = continuation
                state.resume()
                return false
            }
            if isOver { continuation.resume() }
        }
        return state.withLock { !$0.isClosed }
    }

    func finish(_ end: Result<Void, HTTPError>) {
        state.withLock { state in
            state.end = end
            state.resume()
        }
    }
}
