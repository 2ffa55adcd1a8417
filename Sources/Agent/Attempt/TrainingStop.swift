internal import FoundationEssentials
internal import Glibc
internal import Shared
internal import Synchronization

/// The end of a training that does not end by itself.
///
/// The record gets a `TeardownReport` of what was done, and the log says how long a user who waits may have to wait.
final class TrainingStop: Sendable {
    struct Request: Sendable {
        var time: ContinuousClock.Instant
        var date: Date
    }

    private struct State {
        /// The first request for the end.
        var request: Request?
        /// Writes from time to time how long the training may still save.
        var countdown: Task<Void, Never>?
    }

    private let journal: Journal
    private let log: LogWriter
    private let processes: any TrainingProcesses
    private let state = Mutex(State())

    init(_ attempt: OpenAttempt, processes: any TrainingProcesses) {
        journal = attempt.journal
        log = attempt.log
        self.processes = processes
    }

    /// The first request for the end; nil if the training ended by itself.
    var request: Request? { state.withLock(\.request) }

    /// Begins a teardown that is not part of the record, such as that of a finished training's last processes.
    func tearDownSilently(_ teardown: Teardown) {
        processes.tearDown(teardown, began: { countDown(teardown) }, note: { _, _ in })
    }

    /// Begins a teardown that was requested at `time`.
    func tearDown(_ teardown: Teardown, requestedAt time: ContinuousClock.Instant) {
        let request = begin(at: time)
        processes.tearDown(teardown, began: { countDown(teardown) }) { [journal, log] step, count in
            let signal = TeardownReport.Signal(
                after: request.time.duration(to: .now).inSeconds, number: step.signal, target: step.target,
                processes: count, isCaught: step.isCaught)
            // Durable, because a signal may be the last thing that this agent does.
            journal.change { $0.death?.teardown?.signals.append(signal) }
            if teardown.isGraceful && step.target == .tree { log.say(.signalled(step.signal)) }
        }
    }

    /// The training is over. `gone` is when its last process was gone, nil if some are still there.
    func close(gone: ContinuousClock.Instant?) {
        let request = state.withLock { state in
            state.countdown?.cancel()
            return state.request
        }
        guard let request else { return }
        journal.note { $0.death?.teardown?.goneAfter = gone.map { request.time.duration(to: $0).inSeconds } }
    }

    /// Returns the first request; it is this one if there was none before.
    private func begin(at time: ContinuousClock.Instant) -> Request {
        let (request, isFirst) = state.withLock { state in
            if let request = state.request { return (request, false) }
            let request = Request(time: time, date: Date() - time.duration(to: .now).inSeconds)
            state.request = request
            return (request, true)
        }
        guard isFirst else { return request }
        journal.note { record in
            record.death = record.death ?? Death()
            record.death?.teardown = TeardownReport(
                asked: request.date, startedAfter: time.duration(to: .now).inSeconds)
        }
        Task { await noteRecorded(since: time) }
        return request
    }

    private func noteRecorded(since time: ContinuousClock.Instant) async {
        guard await journal.durable(within: .seconds(30)) else { return }
        journal.note { $0.death?.teardown?.recordedAfter = time.duration(to: .now).inSeconds }
    }

    /// Replaces the countdown of an earlier teardown, which this one shortens.
    private func countDown(_ teardown: Teardown) {
        let grace = Int(teardown.grace.inSeconds)
        if teardown.isGraceful { log.say(.stopping(timeout: grace)) }
        let countdown = teardown.isGraceful ? Task { await reportWaiting(of: grace) } : nil
        let former = state.withLock { state in
            defer { state.countdown = countdown }
            return state.countdown
        }
        former?.cancel()
    }

    /// `grace` is in seconds.
    private func reportWaiting(of grace: Int) async {
        let start = ContinuousClock.now
        while true {
            do { try await Task.sleep(for: .seconds(min(max(grace / 4, 1), 30))) } catch { return }
            let spent = Int(start.duration(to: .now).inSeconds)
            guard processes.leader != nil, spent < grace else { return }
            log.say(.stillStopping(spent, timeout: grace))
        }
    }
}
