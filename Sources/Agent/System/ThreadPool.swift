internal import Shared

/// A few threads for calls that block. They are started when needed and kept.
///
/// A call that never returns, on a dead network volume, keeps its thread; those behind it get the others.
final class ThreadPool: Sendable {
    typealias Call = @Sendable () -> Void

    private struct Queue {
        var jobs: [Call] = []
        var threads = 0
        var idle = 0
    }

    /// The number of jobs that may wait for a thread.
    static let capacity = 1000

    private let limit: Int
    private let queue = Monitor(Queue())

    /// `limit`: how many threads it may start.
    init(limit: Int) { self.limit = limit }

    /// Runs `body` on one of the threads and returns its result. If the task is cancelled, the call is left behind.
    func value<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let result = Promise<Result<Value, any Error>>()
        try run { result.fulfil(Result { try body() }) }
        return try await result.valueUnlessCancelled.get()
    }

    /// Runs `job` on one of the threads. Throws if too many jobs wait, or if the first thread cannot be started.
    func run(_ job: @escaping Call) throws(Problem) {
        let needsThread = try queue.update { queue throws(Problem) -> Bool in
            guard queue.jobs.count < Self.capacity else {
                throw Problem("\(Self.capacity) calls already wait for the volume")
            }
            queue.jobs.append(job)
            guard queue.jobs.count > queue.idle, queue.threads < limit else { return false }
            queue.threads += 1
            return true
        }
        guard needsThread else { return }
        do { try DedicatedThread.start { [self] in work() } } catch {
            let isLost = queue.update { queue -> Bool in
                queue.threads -= 1
                return queue.threads == 0
            }
            if isLost { throw error }
        }
    }

    private func work() -> Never {
        while true {
            queue.update { $0.idle += 1 }
            let job = queue.wait { $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }
            queue.update { $0.idle -= 1 }
            job()
        }
    }
}
