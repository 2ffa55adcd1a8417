internal import Synchronization

/// A value that comes later, once, and may be waited for by many.
final class Promise<Value: Sendable>: Sendable {
    private typealias Continuation = CheckedContinuation<Value?, Never>

    private struct State {
        var value: Value?
        var waiters: [Int: Continuation] = [:]
        /// Waiters that gave up before they waited.
        var absent: Set<Int> = []
        var nextWaiter = 0
    }

    private let state = Mutex(State())

    /// Later values are ignored.
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

    /// As `value`, but not for longer than the task is wanted.
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

    /// The value, or nil where it did not come within `patience`.
    func value(within patience: Duration) async -> Value? {
        let waiter = newWaiter()
        let patient = Task {
            try? await Task.sleep(for: patience)
            giveUp(waiter)
        }
        defer { patient.cancel() }
        return await wait(as: waiter)
    }

    private func newWaiter() -> Int {
        state.withLock { state in
            state.nextWaiter += 1
            return state.nextWaiter
        }
    }

    /// nil where the waiter gave up.
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
