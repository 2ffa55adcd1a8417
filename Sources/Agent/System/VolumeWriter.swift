internal import Shared

/// The one thread that writes the log, the beats and the records. Jobs run in the order in which they came.
///
/// A call on a hung network volume blocks this thread and nothing else.
final class VolumeWriter: Sendable {
    private struct Queue {
        var jobs: [@Sendable () -> Void] = []
        var isFenced = false
    }

    private let queue = Monitor(Queue())

    init() {
        do { try start() } catch {
            preconditionFailure("an agent that gets no thread at its start can do nothing: \(error)")
        }
    }

    private func start() throws(Problem) {
        try DedicatedThread.start { [queue] in
            while true {
                let jobs = queue.wait { queue -> [@Sendable () -> Void]? in
                    guard !queue.jobs.isEmpty else { return nil }
                    defer { queue.jobs = [] }
                    return queue.jobs
                }
                for job in jobs { job() }
            }
        }
    }

    func enqueue(_ job: @escaping @Sendable () -> Void) {
        queue.update { [isFenced] queue in
            queue.jobs.append { if !isFenced() { job() } }
        }
    }

    /// Runs `body` in its turn and returns what it returns; nil once the writer is fenced.
    func perform<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result? {
        try await withCheckedThrowingContinuation { continuation in
            queue.update { [isFenced] queue in
                queue.jobs.append {
                    if isFenced() {
                        continuation.resume(returning: nil)
                    } else {
                        continuation.resume(with: Swift.Result { try body() })
                    }
                }
            }
        }
    }

    /// From now on nothing more is written: the run has another owner.
    func fence() {
        queue.update { $0.isFenced = true }
    }

    private func isFenced() -> Bool {
        queue.read(\.isFenced)
    }
}
