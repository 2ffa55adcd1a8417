internal import Shared

/// Runs jobs one after the other on a thread of their own. If a job hangs, the thread is left behind.
final class JobThread: Sendable {
    private struct Queue {
        var jobs: [@Sendable () -> Void] = []
        var isClosed = false
    }

    private let queue = Monitor(Queue())

    /// `isIdle`: the thread runs at the lowest priority.
    init(isIdle: Bool = false) throws(Problem) {
        try DedicatedThread.start { [queue] in
            if isIdle { DedicatedThread.yieldToOthers() }
            while true {
                let jobs = queue.wait { queue -> [@Sendable () -> Void]? in
                    guard !queue.jobs.isEmpty else { return queue.isClosed ? [] : nil }
                    defer { queue.jobs = [] }
                    return queue.jobs
                }
                if jobs.isEmpty { return }
                for job in jobs { job() }
            }
        }
    }

    func enqueue(_ job: @escaping @Sendable () -> Void) {
        queue.update { $0.jobs.append(job) }
    }

    /// Runs `body` after the jobs before it and returns its result.
    func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            enqueue { continuation.resume(with: Swift.Result { try body() }) }
        }
    }

    /// Lets the thread end after the queued jobs.
    deinit { queue.update { $0.isClosed = true } }
}
