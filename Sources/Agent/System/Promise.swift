internal import Synchronization

/// A value that is set once, later. Many tasks may wait for it.
final class Promise<Value: Sendable>: Sendable {
    private typealias Continuation = CheckedContinuation<Value?, Never>

    private struct State {
        var value: Value?
        var waiters: [Int: Continuation] = [:]
        /// The waiters that gave up before they began to wait.
        var absent: Set<Int> = []
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    /// Sets the value and resumes all waiters. Does nothing if there is a value already.
    func fulfil(_ value: Value) {
        let waiters = state.withLock { state -> [Int: Continuation] in
            guard state.value == nil else { return [:] }
            state.value = value
            defer { state.waiters = [:] }
            return state.waiters
        }
        for waiter in waiters.values { waiter.resume(returning: value) }
    }

    var value: Value {
        get async {
            while true {
                if let value = await wait(as: newWaiter()) { return value }
            }
        }
    }

    /// Like `value`, but throws `CancellationError` when the task is cancelled.
    var valueUnlessCancelled: Value {
        get async throws(CancellationError) {
            let waiter = newWaiter()
            let value = await withTaskCancellationHandler {
                await wait(as: waiter)
            } onCancel: {
                giveUp(waiter)
            }
            guard let value else { throw CancellationError() }
            return value
        }
    }

    var valueIfFulfilled: Value? { state.withLock(\.value) }

    /// Waits for the value. Returns nil if it is not set within `timeout`.
    func value(within timeout: Duration) async -> Value? {
        let waiter = newWaiter()
        let timer = Task {
            try? await Task.sleep(for: timeout)
            giveUp(waiter)
        }
        defer { timer.cancel() }
        return await wait(as: waiter)
    }

    private func newWaiter() -> Int {
        state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
    }

    /// Returns nil if the waiter gave up.
    private func wait(as waiter: Int) async -> Value? {
        await withCheckedContinuation { continuation in
            let (isOver, value) = state.withLock { state -> (Bool, Value?) in
                if let value = state.value { return (true, value) }
                if state.absent.remove(waiter) != nil { return (true, nil) }
                state.waiters[waiter] = continuation
                return (false, nil)
            }
            if isOver { continuation.resume(returning: value) }
        }
    }

    private func giveUp(_ waiter: Int) {
        let continuation = state.withLock { state -> Continuation? in
            guard state.value == nil else { return nil }
            if let continuation = state.waiters.removeValue(forKey: waiter) { return continuation }
            state.absent.insert(waiter)
            return nil
        }
        continuation?.resume(returning: nil)
    }
}
