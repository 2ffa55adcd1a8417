internal import Shared
internal import Synchronization

/// Tasks beside the steps of an attempt: timers and watches. They end when the attempt is no longer the agent's current
/// one.
final class SideTasks: Sendable {
    private let tasks = Mutex<[Task<Void, Never>]>([])

    func run(_ body: @escaping @Sendable () async -> Void) {
        tasks.withLock { $0.append(Task { await body() }) }
    }

    /// Calls `body` after `seconds` unless cancelled before; at once if they are 0 or less.
    func after(_ seconds: Double, _ body: @escaping @Sendable () -> Void) {
        if seconds <= 0 { return body() }
        run {
            try? await Task.sleep(for: .seconds(seconds))
            if !Task.isCancelled { body() }
        }
    }

    func cancel() {
        for task in tasks.withLock({ $0 }) { task.cancel() }
    }
}
