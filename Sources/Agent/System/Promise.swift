internal import Synchronization

/// A value that comes later, once, and may be waited for by many.
final class Promise<Value: Sendable>: Sendable {
    private enum State {
        case pending([CheckedContinuation<Value, Never>])
        case kept(Value)
    }

    private let state = Mutex(State.pending([]))

    /// Later values are ignored.
    func keep(_ value: Value) {
        let waiters = state.withLock { state -> [CheckedContinuation<Value, Never>] in
            guard case .pending(let waiters) = state else { return [] }
            state = .kept(value)
            return waiters
        }
        for waiter in waiters { waiter.resume(returning: value) }
    }

    var value: Value {
        get async {
            await withCheckedContinuation { continuation in
                let kept = state.withLock { state -> Value? in
                    switch state {
                    case .kept(let value): return value
                    case .pending(let waiters):
                        state = .pending(waiters + [continuation])
                        return nil
                    }
                }
                if let kept { continuation.resume(returning: kept) }
            }
        }
    }

    var valueIfKept: Value? {
        state.withLock { if case .kept(let value) = $0 { value } else { nil } }
    }

    /// The value, or nil where it did not come within `patience`.
    func value(within patience: Duration) async -> Value? {
        let first = Promise<Value?>()
        let patient = Task {
            try? await Task.sleep(for: patience)
            first.keep(nil)
        }
        Task { first.keep(await value) }
        defer { patient.cancel() }
        return await first.value
    }
}
