internal import Glibc
internal import Shared

/// The one thread that writes the log, the heartbeats and the records. Jobs run in the order in which they were queued.
///
/// A call on a hung network volume blocks this thread and nothing else. Slow work on a healthy volume has threads of
/// its own: `syncs` and `sealing`. They never write the same files.
final class VolumeWriter: Sendable {
    typealias Call = @Sendable () -> Void
    typealias Check = @Sendable () throws -> Bool

    private struct Queue {
        var jobs: [Call] = []
        var isFenced = false
        /// Returns whether the run has another owner by now.
        var isSuperseded: Check?
    }

    /// After a longer time without a job (the volume hung, or this process was stopped) the run may have another owner.
    private let longestTurn: Duration

    private let queue = Monitor(Queue())
    /// Brings the log to stable storage, while this thread continues to write it.
    let syncs: JobThread
    /// Seals the log's segments at the lowest priority.
    let sealing: JobThread

    init(longestTurn: Duration = .seconds(10)) {
        self.longestTurn = longestTurn
        do {
            (syncs, sealing) = (try JobThread(), try JobThread(isIdle: true))
            try start()
        } catch {
            preconditionFailure("an agent that gets no thread at its start can do nothing: \(error)")
        }
    }

    private func start() throws(Problem) {
        try DedicatedThread.start { [queue, longestTurn] in
            var lastTurn = ContinuousClock.now
            while true {
                let jobs = queue.wait { queue -> [Call]? in
                    guard !queue.jobs.isEmpty else { return nil }
                    defer { queue.jobs = [] }
                    return queue.jobs
                }
                for job in jobs {
                    if lastTurn.duration(to: .now) > longestTurn, Self.isSuperseded(queue) {
                        queue.update { $0.isFenced = true }
                    }
                    // Set before the job, so that the next job notices a hang within this one.
                    lastTurn = .now
                    job()
                }
            }
        }
    }

    /// Returns whether another agent owns the run. Repeats the check while it throws, because this thread may write
    /// nothing before it knows.
    private static func isSuperseded(_ queue: Monitor<Queue>) -> Bool {
        while let check = queue.read(\.isSuperseded) {
            do { return try check() } catch { usleep(100_000) }
        }
        return false
    }

    /// Sets the check for another owner. It reads the volume, and runs after each long pause before anything is
    /// written. Set it to nil while this agent itself makes the next attempt.
    func look(isSuperseded: Check?) {
        queue.update { $0.isSuperseded = isSuperseded }
    }

    func enqueue(_ job: @escaping Call) {
        queue.update { [isFenced] queue in
            queue.jobs.append { if !isFenced() { job() } }
        }
    }

    /// Runs `body` after the jobs before it and returns its result; nil once the writer is fenced.
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

    /// Stops all further writes, because the run has another owner.
    func fence() {
        queue.update { $0.isFenced = true }
    }

    /// Whether all further writes are stopped.
    func isFenced() -> Bool {
        queue.read(\.isFenced)
    }
}
