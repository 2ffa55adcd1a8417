import Foundation
import Synchronization

/// Something that happens once, which scripts (on threads) and tests (in tasks) wait for.
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

    /// When it happened first. Stamped by the thread that fires, so a busy pool of tasks does not blur it.
    public var firedAt: ContinuousClock.Instant? { state.withLock { $0.firedAt } }

    public var isFired: Bool { firedAt != nil }

    /// Suspends the task. Ends with the test's time limit only.
    public func wait() async {
        await withCheckedContinuation { waiter in
            let isFired = state.withLock {
                if $0.firedAt == nil { $0.waiters.append(waiter) }
                return $0.firedAt != nil
            }
            if isFired { waiter.resume() }
        }
    }

    /// Blocks the thread of a script. Throws `.gaveUp` after `StubConnection.patience`.
    public func block() throws {
        guard block(for: StubConnection.patience) else { throw StubError.gaveUp }
    }

    /// Blocks the thread of a script for at most that long.
    ///
    /// - Returns: Whether it was fired.
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
