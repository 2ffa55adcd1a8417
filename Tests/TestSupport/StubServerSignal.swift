import Foundation
import Synchronization

/// Something that happens once, which scripts (on threads) and tests (in tasks) wait for.
public final class StubSignal: Sendable {
    private struct State {
        var isFired = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    private let gate = NSCondition()

    public init() {}

    public func fire() {
        let waiters = state.withLock { state in
            state.isFired = true
            defer { state.waiters = [] }
            return state.waiters
        }
        gate.lock()
        gate.broadcast()
        gate.unlock()
        for waiter in waiters { waiter.resume() }
    }

    public var isFired: Bool { state.withLock { $0.isFired } }

    /// Suspends the task. Ends with the test's time limit only.
    public func wait() async {
        await withCheckedContinuation { waiter in
            let isFired = state.withLock {
                if !$0.isFired { $0.waiters.append(waiter) }
                return $0.isFired
            }
            if isFired { waiter.resume() }
        }
    }

    /// Blocks the thread of a script. Throws `.gaveUp` after `StubConnection.patience`.
    public func block() throws {
        let deadline = Date(timeIntervalSinceNow: Double(StubConnection.patience.components.seconds))
        gate.lock()
        defer { gate.unlock() }
        while !isFired {
            guard gate.wait(until: deadline) else { throw StubError.gaveUp }
        }
    }
}
