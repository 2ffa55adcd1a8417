internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// Carries out the effects of one attempt, and posts the events that follow from them.
final class AttemptRunner: Sendable {
    typealias Post = @Sendable (Event) -> Void

    private struct State {
        /// The results of the steps so far.
        var setup = Setup()
        /// nil before the training was started.
        var training: TrainingFacts?
    }

    private let attempt: OpenAttempt
    /// The variables that children inherit.
    private let variables: [String: String]
    private let receivesCode: Bool
    private let processes: any TrainingProcesses
    private let notices: AttemptNotices
    private let stop: TrainingStop
    private let end: AttemptEnd
    private let post: Post
    private let tasks = SideTasks()
    private let state = Mutex(State())

    /// After SIGKILL the kernel may take seconds to free hundreds of gigabytes. A process that is still there then
    /// hangs in a call.
    private static let timeoutAfterKill: Duration = .seconds(20)

    /// `variables` are those that children inherit. `receivesCode`: the code comes over the API. `followersLeft`
    /// returns when no follower needs the log any more, or after the timeout.
    init(
        _ attempt: OpenAttempt, variables: [String: String], receivesCode: Bool = false,
        processes: any TrainingProcesses, notifier: Notifier,
        followersLeft: @escaping @Sendable (_ timeout: Duration) async -> Void, post: @escaping Post
    ) {
        self.attempt = attempt
        self.variables = variables
        self.receivesCode = receivesCode
        self.processes = processes
        self.post = post
        notices = AttemptNotices(journal: attempt.journal, log: attempt.log, notifier: notifier)
        stop = TrainingStop(attempt, processes: processes)
        end = AttemptEnd(
            attempt, processes: processes, stop: stop, notices: notices, followersLeft: followersLeft)
    }

    /// Begins what runs beside the steps: the heartbeat and the limits of the run.
    func start() {
        let heartbeat = Heartbeat(run: attempt.run, attempt: attempt.claim.number, volume: attempt.volume) {
            [attempt] in
            (attempt.seconds, attempt.journal.current.step)
        }
        tasks.run { [post] in
            await heartbeat.beat()
            if !Task.isCancelled { post(.superseded) }
        }
        for limit in RunLimit.all(of: attempt) {
            tasks.after(limit.remaining) { [post] in post(.overLimit(limit.reason)) }
        }
        if let crash = attempt.crash { notices.post(.interruption, of: crash) }
    }

    /// Ends what `start` began, because the next attempt has its own. Returns the log, whose followers move on to the
    /// next log.
    func retire() -> LogWriter {
        tasks.cancel()
        // The next claim is this agent's own.
        attempt.volume.look(isSuperseded: nil)
        return attempt.log
    }

    /// Carries out `effect`. `state` is the state after the event that caused it, and `time` is when the event
    /// happened.
    func perform(_ effect: AttemptEffect, in state: RunState, at time: ContinuousClock.Instant) {
        if state.ending.isPreempted { end.preempt() }
        switch effect {
        case .record: record(state)
        case .setUp(let step): run { try await self.setUp(step) }
        case .train: run { try await self.train() }
        case .captureStall: run { await self.captureStall() }
        case .tearDown(let teardown): tearDown(teardown, in: state.state, at: time)
        case .finishAttempt(let gracefully):
            run { await self.finish(gracefully: gracefully, outcome: state.outcome) }
        case .schedule(let pause): schedule(pause)
        case .pause(let length): pause(length)
        case .publish(let gracefully): run { await self.publish(gracefully: gracefully) }
        case .fence: attempt.volume.fence()
        }
    }

    /// Kills what is left of the training before the agent exits.
    func leave() async {
        if attempt.journal.current.state == .waiting { notices.post(.interruption, tries: 1) }
        await processes.killAll()
    }

    /// The end of the pod after this attempt, if the config or the user asks for `rule`.
    func podEnd(by rule: OnFinish?) -> PodEnd { end.podEnd(by: rule) }

    /// Runs `body` in a task and posts the event that it returns.
    private func run(_ body: @escaping @Sendable () async throws -> Event) {
        Task { [post] in
            do { post(try await body()) } catch { post(.setupFailed("\(error)")) }
        }
    }
}

// MARK: - Effects

extension AttemptRunner {
    private func record(_ state: RunState) {
        let before = attempt.journal.current
        attempt.journal.change { [attempt] record in
            record.lasted(attempt.seconds)
            if record.state != state.state { record.enter(state.state, at: Date()) }
            record.outcome = state.outcome
        }
        if let event = Notice.Event(from: before, to: attempt.journal.current) {
            notices.post(event, tries: state.ending.isPreempted ? 1 : 4)
        }
        if state.outcome?.kind == .stopped, before.outcome?.kind.isFault == true, let message = state.outcome?.message {
            attempt.log.say(.outcome(.stopped, reason: message))
        }
    }

    private func setUp(_ step: SetupStep) async throws -> Event {
        let runner = SetupRunner(
            attempt: attempt, variables: variables, receivesCode: receivesCode, processes: processes)
        let setup = try await runner.take(step, after: state.withLock(\.setup))
        state.withLock { $0.setup = setup }
        return .stepDone(step)
    }

    private func train() async throws -> Event {
        let setup = state.withLock(\.setup)
        let training = try await Training(attempt, after: setup, variables: variables, processes: processes)
        state.withLock { $0.training = training.facts }
        tasks.run { [post] in
            if let seconds = await training.stalled() { post(.stalled("no new step for \(Int(seconds)) s")) }
        }
        let (status, facts) = try await training.run()
        state.withLock { $0.training = facts }
        if training.ranOutOfMemory(status, facts) { post(.outOfMemory) }
        if let first = facts.leftIdle.first { post(.leftIdle(Self.leftIdle(first, of: facts.leftIdle.count))) }
        return .trainingEnded(status)
    }

    private static func leftIdle(_ command: String, of count: Int) -> String {
        "the command has ended and left \(count == 1 ? "a process" : "\(count) processes") in the background that "
            + "neither prints nor saves: \(command)"
    }

    private func captureStall() async -> Event {
        let lines = await processes.describe(environment: state.withLock(\.training)?.variables ?? [:])
        attempt.journal.change { record in
            record.death = record.death ?? Death()
            record.death?.stall = lines
        }
        for line in [LogLine.stalled] + lines.map(LogLine.captured) { attempt.log.say(line) }
        return .stallCaptured
    }

    private func tearDown(_ teardown: Teardown, in state: AttemptState, at time: ContinuousClock.Instant) {
        if state.isActive {
            stop.tearDown(teardown, requestedAt: time)
            tasks.after((teardown.length + Self.timeoutAfterKill).inSeconds) { [post] in post(.unkillable) }
        } else if stop.request != nil {
            stop.tearDown(teardown, requestedAt: time)
        } else {
            // The training ended by itself, and only some of its processes remain.
            stop.tearDownSilently(teardown)
        }
    }

    private func finish(gracefully: Bool, outcome: Outcome?) async -> Event {
        let (setup, training) = state.withLock { ($0.setup, $0.training) }
        return .attemptFinished(
            await end.finish(gracefully: gracefully, outcome: outcome, training: training, watch: setup.watch))
    }

    private func publish(gracefully: Bool) async -> Event {
        await end.publish(gracefully: gracefully, watch: state.withLock(\.setup.watch))
        return .published
    }

    private func pause(_ length: Duration) {
        schedule(length)
        attempt.log.say(.retry(attempt: attempt.claim.number + 1, after: length))
        tasks.after(length.inSeconds) { [post] in post(.pauseOver) }
    }

    private func schedule(_ pause: Duration) {
        attempt.journal.change { $0.next = Date() + pause.inSeconds }
    }
}
