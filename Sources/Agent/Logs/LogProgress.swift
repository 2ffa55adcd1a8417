internal import Synchronization

/// The end of a run's log, and how much of it is on stable storage. Followers wait here, and share nothing else with
/// the writer.
final class LogProgress: Sendable {
    private struct State {
        var end: Int
        var durable: Int
        var isClosed = false
        var syncIsScheduled = false
        var nextWaiter = 0
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
    }

    private let state: Mutex<State>

    init(start: Int) {
        state = Mutex(State(end: start, durable: start))
    }

    /// The offset after the last byte.
    var end: Int { state.withLock(\.end) }

    /// Every byte before this offset is on stable storage.
    var durable: Int { state.withLock(\.durable) }

    func extend(by count: Int) {
        wake { $0.end += count }
    }

    /// Ends the log: no more bytes will come.
    func close() {
        wake { $0.isClosed = true }
    }

    /// Waits until the log's end is beyond `offset`, and returns it. Returns nil if the log is closed before.
    func end(beyond offset: Int) async throws(CancellationError) -> Int? {
        while true {
            if Task.isCancelled { throw CancellationError() }
            let (end, isClosed) = state.withLock { ($0.end, $0.isClosed) }
            if end > offset { return end }
            if isClosed { return nil }
            await change(after: offset)
        }
    }

    private func change(after offset: Int) async {
        let number = state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if state.end > offset || state.isClosed || Task.isCancelled { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }

    private func wake(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [:] }
            return state.waiters.values
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Returns true if no sync is scheduled. The caller then has to schedule one.
    func wantsSync() -> Bool {
        state.withLock { state in
            defer { state.syncIsScheduled = true }
            return !state.syncIsScheduled
        }
    }

    /// Notes that a sync begins: bytes that come later need another one.
    func beginSync() {
        state.withLock { $0.syncIsScheduled = false }
    }

    func endSync(at end: Int) {
        state.withLock { $0.durable = max($0.durable, end) }
    }
}
