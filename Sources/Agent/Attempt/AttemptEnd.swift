internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// The end of an attempt: completes its record, decides whether another attempt follows, and whether the pod may be
/// deleted.
final class AttemptEnd: Sendable {
    /// Whether the newest checkpoint is proven to be safe.
    private enum Gate: Sendable, Equatable {
        case passed
        case refused(String)
    }

    private struct State {
        /// nil until the newest checkpoint was checked.
        var gate: Gate?
        /// The record of the end and the whole log are on stable storage.
        var isPublished = false
    }

    private let attempt: OpenAttempt
    private let processes: any TrainingProcesses
    private let stop: TrainingStop
    private let notices: AttemptNotices
    /// Returns when no follower needs the log any more, or after the timeout.
    private let followersLeft: @Sendable (_ timeout: Duration) async -> Void
    /// Fulfilled when the pod is being taken away. The end then waits for nothing that it can leave behind.
    private let preempted = Promise<Void>()
    private let state = Mutex(State())

    private var isPreempted: Bool { preempted.valueIfFulfilled != nil }

    init(
        _ attempt: OpenAttempt, processes: any TrainingProcesses, stop: TrainingStop, notices: AttemptNotices,
        followersLeft: @escaping @Sendable (_ timeout: Duration) async -> Void
    ) {
        self.attempt = attempt
        self.processes = processes
        self.stop = stop
        self.notices = notices
        self.followersLeft = followersLeft
    }

    /// The pod is being taken away.
    func preempt() { preempted.fulfil(()) }

    /// The end of the pod after this attempt, if the config or the user asks for `rule`.
    func podEnd(by rule: OnFinish?) -> PodEnd {
        let (gate, isPublished) = state.withLock { ($0.gate, $0.isPublished) }
        return PodEnd(rule, isSafe: gate == .passed && isPublished)
    }

    /// Completes the record and the log. `training` is nil if it was never started, `watch` if the run has no
    /// checkpoints. Returns nil if the rule of retries has nothing to say, because the training did not fail.
    func finish(
        gracefully: Bool, outcome: Outcome?, training: TrainingFacts?, watch: CheckpointWatch?
    ) async -> RetryRule.Verdict? {
        // The training's end is the first durable fact. Everything that takes time comes after it.
        let timeout = Duration.seconds(30)
        if await !attempt.journal.durable(within: timeout) { attempt.log.say(.endNotRecorded(within: timeout)) }
        // Processes that an installation left have nothing to save.
        let gone = await processes.drain(gracefully: gracefully && training != nil)
        stop.close(gone: gone)
        if gone == nil { attempt.log.say(.unkillable) }
        await record(outcome, training, watch, gone: gone)
        let verdict = outcome?.kind.isFault == true ? await verdict() : nil
        if verdict?.isRetry != true { await proveNewestCheckpoint(watch) }
        // The log reports what the volume lost before it reports the end.
        if !isPreempted { await attempt.log.sync() }
        if let failed = training?.failedLine {
            attempt.log.say(.lineFailed(failed.number, text: failed.text, code: failed.code))
        }
        if let outcome { say(outcome, kills: training?.outOfMemoryKills ?? 0) }
        await attempt.log.sync()
        return verdict
    }

    /// Waits until the record, the log and the followers are complete; shorter if not `gracefully`.
    func publish(gracefully: Bool, watch: CheckpointWatch?) async {
        // `finish` leaves it out before a retry, which may not happen after all.
        if state.withLock({ $0.gate == nil }) { await proveNewestCheckpoint(watch) }
        if !isPreempted { await attempt.log.sync() }
        let isRecorded = await attempt.journal.durable(within: .seconds(30))
        if !isRecorded { Console.say("the volume did not store the record of the end") }
        if case let rest = attempt.log.waiting, rest > 0 {
            Console.say("the volume did not store the last \(rest) bytes of the log")
        }
        let progress = attempt.log.progress
        let isLogged = attempt.log.waiting == 0 && progress.durable == progress.end
        state.withLock { $0.isPublished = isRecorded && isLogged }
        removeReserve()
        progress.close()
        await followersLeft(gracefully ? .seconds(5) : .milliseconds(200))
    }

    private func record(
        _ outcome: Outcome?, _ training: TrainingFacts?, _ watch: CheckpointWatch?, gone: ContinuousClock.Instant?
    ) async {
        let found = await countCheckpoints(watch)
        // After the count, because a follower of the log counts on the step of the last output.
        let progress = training?.progress.finish()
        let reported = found?.proven.flatMap { attempt.receipts?.stepAtSave(of: $0) }
        let report = DeathReport(attempt: attempt, tail: processes.tail, training: training, request: stop.request)
        var death = outcome?.kind == .finished ? nil : await report.make(outcome: outcome, gone: gone)
        attempt.journal.change { [attempt] record in
            record.checkpoints = found
            if let step = progress?.step { record.step = step }
            if let progress { (record.total, record.loss) = (progress.total, progress.loss) }
            record.lasted(attempt.seconds)
            death?.lostSteps = found.flatMap { record.stepsLost(after: $0, reported: reported) }
            death?.stall = record.death?.stall
            death?.teardown = record.death?.teardown
            record.death = death
        }
    }

    private func countCheckpoints(_ watch: CheckpointWatch?) async -> CheckpointCount? {
        guard let receipts = attempt.receipts else { return nil }
        return try? await DedicatedThread.run(within: isPreempted ? .seconds(5) : .seconds(30)) {
            try receipts.count { watch?.wasFollowed($0) == true }
        }
    }

    /// The verdict on the attempts of this launch, this one included. Waits at most 5 s for the volume.
    private func verdict() async -> RetryRule.Verdict {
        let earlier = try? await DedicatedThread.run(within: .seconds(5)) { [attempt] in
            try attempt.claims.filter { attempt.spec.launch.covers($0.launch) && $0.number < attempt.claim.number }
                .compactMap { try attempt.run.usableRecord($0.number) }
        }
        return RetryRule(policy: attempt.spec.retry)
            .verdict(on: (earlier ?? []) + [attempt.journal.current], jitter: .random(in: 0...1))
    }

    /// Checks that the newest checkpoint is whole on stable storage, and keeps the result in `state`. The pod is
    /// deleted only if it is.
    private func proveNewestCheckpoint(_ watch: CheckpointWatch?) async {
        let isFinished = attempt.journal.current.outcome?.exit == .code(0)
        let gate = SafetyGate(receipts: attempt.receipts, seen: { watch?.save(of: $0) }) { checkpoint in
            isFinished ? .exit : watch?.wasFollowed(checkpoint) == true ? .laterStep : nil
        }
        watch?.stop()
        // The watch stops within moments, unless the volume hangs.
        if !isPreempted { _ = await watch?.ended.value(within: .seconds(5)) }
        let reason = isPreempted ? SafetyGate.noTime : await gate.check(preempted: preempted)
        state.withLock { $0.gate = reason.map(Gate.refused) ?? .passed }
        guard let reason, !isPreempted else { return }
        attempt.log.say(.checkpointNotSafe(reason))
        notices.post(.failedGate, message: reason)
    }

    private func say(_ outcome: Outcome, kills: Int) {
        if let reason = outcome.message {
            attempt.log.say(.outcome(outcome.kind, reason: reason))
        } else if outcome.kind == .outOfMemory {
            attempt.log.say(.outOfMemory(kills: kills))
        }
        attempt.log.say(.exitCode(Exit.ofPod(outcome)))
    }

    /// The end is on the volume and needs no reserved room any more.
    private func removeReserve() {
        attempt.volume.enqueue { [attempt] in try? File.remove(attempt.run.reservePath(attempt.claim.number)) }
    }
}
