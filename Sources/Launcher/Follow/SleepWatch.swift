internal import Synchronization

/// Notices that this machine has slept: TCP would take minutes to tell that the connections from before are dead.
struct SleepWatch: Sendable {
    struct Slept: Error {}

    /// Between two looks at the clock.
    var interval: Duration = .seconds(1)
    /// A look that comes later than this is due to sleep; a busy machine is late too, and does not lose much by it.
    var tolerance: Duration = .seconds(5)
    /// Goes on while the machine sleeps.
    var now: @Sendable () -> ContinuousClock.Instant = { .now }

    /// The last look at the clock, over the steps of one request: a sleep between two of them counts.
    final class LastLook: Sendable {
        fileprivate let at: Mutex<ContinuousClock.Instant>

        fileprivate init(at now: ContinuousClock.Instant) { at = Mutex(now) }
    }

    func begin() -> LastLook { LastLook(at: now()) }

    /// What `body` returns. It is cancelled, and `Slept` thrown, where the machine has slept since the last look.
    func during<Value: Sendable>(
        since last: LastLook, atEachLook look: @escaping @Sendable () -> Void = {},
        _ body: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await withThrowingTaskGroup(of: Value?.self) { group in
            group.addTask { try await body() }
            group.addTask {
                try await watch(last, look)
                return nil
            }
            defer { group.cancelAll() }
            guard let value = try await group.next() ?? nil else { throw CancellationError() }
            return value
        }
    }

    private func watch(_ last: LastLook, _ look: @Sendable () -> Void) async throws {
        while true {
            try await Task.sleep(for: interval)
            let now = now()
            try last.at.withLock { last in
                // Stays as it is where nobody hears of it, because the body has just ended.
                if last.duration(to: now) > interval + tolerance { throw Slept() }
                last = now
            }
            look()
        }
    }
}
