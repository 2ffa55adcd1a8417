internal import Glibc
internal import Shared

/// The one thread that writes the log, the beats and the records. Jobs run in the order in which they came.
///
/// A call on a hung network volume blocks this thread and nothing else. What takes long on a healthy one, and may lag behind, has
/// threads beside it: they write nothing that this one writes.
final class VolumeWriter: Sendable {
    typealias Job = @Sendable () -> Void
    typealias Look = @Sendable () throws -> Bool

    private struct Queue {
        var jobs: [Job] = []
        var isFenced = false
        /// Whether the run has another owner by now.
        var isSuperseded: Look?
    }

    /// After so long without a turn (the volume hung, or this process was stopped) the owner may be another one.
    private let longestTurn: Duration

    private let queue = Monitor(Queue())
    /// Brings the log to stable storage: as long as the disk needs, while the log goes on.
    let syncs: JobThread
    /// Seals the log's segments, in time that nobody else wants.
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
                let jobs = queue.wait { queue -> [Job]? in
                    guard !queue.jobs.isEmpty else { return nil }
                    defer { queue.jobs = [] }
                    return queue.jobs
                }
                for job in jobs {
                    if lastTurn.duration(to: .now) > longestTurn, Self.isSuperseded(queue) {
                        queue.update { $0.isFenced = true }
                    }
                    // Before the job, so that a hang within it counts as a pause for the next one.
                    lastTurn = .now
                    job()
                }
            }
        }
    }

    /// Until there is an answer: nothing is written as long as it is not known.
    private static func isSuperseded(_ queue: Monitor<Queue>) -> Bool {
        while let look = queue.read(\.isSuperseded) {
            do { return try look() } catch { usleep(100_000) }
        }
        return false
    }

    /// `isSuperseded` is asked after each long pause, before anything is written; it reads the volume. nil while the owner itself
    /// goes on to its next attempt.
    func look(isSuperseded: Look?) {
        queue.update { $0.isSuperseded = isSuperseded }
    }

    func enqueue(_ job: @escaping Job) {
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

    /// Whether nothing is written any more.
    func isFenced() -> Bool {
        queue.read(\.isFenced)
    }
}
