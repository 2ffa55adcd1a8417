internal import Synchronization

/// Notices that this machine has slept. TCP would need minutes to find that the connections from before are dead.
struct SleepWatch: Sendable {
    struct Slept: Error {}

    /// Time between two readings of the clock.
    var interval: Duration = .seconds(1)
    /// A reading that is later than this proves sleep. A busy machine may be late too; then one request is repeated
    /// needlessly.
    var tolerance: Duration = .seconds(5)
    /// A clock that counts the time of sleep.
    var now: @Sendable () -> ContinuousClock.Instant = { .now }

    /// The last reading of the clock, shared by the steps of one request: a sleep between two steps counts.
    final class LastReading: Sendable {
        fileprivate let at: Mutex<ContinuousClock.Instant>

        fileprivate init(at now: ContinuousClock.Instant) { at = Mutex(now) }
    }

    func begin() -> LastReading { LastReading(at: now()) }

    /// Returns the result of `body`. Cancels it and throws `Slept` if the machine has slept since the last reading.
    func during<Value: Sendable>(
        since last: LastReading, atEachReading tick: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await watch(last, tick)
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else { throw CancellationError() }
            return value
        }
    }

    private func watch(_ last: LastReading, _ tick: @Sendable () -> Void) async throws {
        while true {
            try await Task.sleep(for: interval)
            let now = now()
            try last.at.withLock { last in
                // The body may just have ended; then this error reaches no caller, and the reading must not change.
                if last.duration(to: now) > interval + tolerance { throw Slept() }
                last = now
            }
            tick()
        }
    }
}
