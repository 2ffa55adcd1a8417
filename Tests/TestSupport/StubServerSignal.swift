import Foundation
import Synchronization

/// An event that happens once. Scripts wait for it on their threads, and tests in their tasks.
public final class StubSignal: Sendable {
    private struct State {
        var firedAt: ContinuousClock.Instant?
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let gate = NSCondition()

    public init() {}

    public func fire() {
        let waiters = state.withLock { state in
            if state.firedAt == nil { state.firedAt = .now }
            defer { state.waiters = [] }
            return state.waiters
        }
        gate.lock()
        gate.broadcast()
        gate.unlock()
        for waiter in waiters { waiter.resume() }
    }

    /// The time of the first `fire`. The thread that fires notes it, so a busy pool of tasks does not delay it.
    public var firedAt: ContinuousClock.Instant? { state.withLock { $0.firedAt } }

    public var isFired: Bool { firedAt != nil }

    /// Suspends the task until the event. Only the test's time limit ends it before.
    public func wait() async {
        await withCheckedContinuation { waiter in
            let isFired = state.withLock {
                if $0.firedAt == nil { $0.waiters.append(waiter) }
                return $0.firedAt != nil
            }
            if isFired { waiter.resume() }
        }
    }

    /// Blocks the thread of a script until the event. Throws `.gaveUp` after `StubConnection.timeout`.
    public func block() throws {
        guard block(for: StubConnection.timeout) else { throw StubError.gaveUp }
    }

    /// Blocks the thread of a script until the event, for at most `time`.
    ///
    /// - Returns: Whether the event has happened.
    @discardableResult
    public func block(for time: Duration) -> Bool {
        let deadline = Date(timeIntervalSinceNow: time / .seconds(1))
        gate.lock()
        defer { gate.unlock() }
        while !isFired {
            guard gate.wait(until: deadline) else { return isFired }
        }
        return true
    }
}
