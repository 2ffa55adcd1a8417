internal import FoundationEssentials
internal import Glibc
internal import Shared
internal import Synchronization

/// The end of an attempt: what is found, what is written down, and whether another one follows.
extension AttemptRunner {
    func finishAttempt(gracefully: Bool, outcome: Outcome?) async -> Event {
        // The training's end is the first durable fact; only then may anything that takes time follow.
        if case let timeout = Duration.seconds(30), await !work.journal.durable(within: timeout) {
            work.log.say(.endNotRecorded(within: timeout))
        }
        let gone = await supervisor.drain(gracefully: gracefully)
        let prepared = prepared.withLock { prepared in
            prepared.countdown?.cancel()
            return prepared
        }
        if gone == nil { work.log.say(.unkillable) }
        let found = try? await looking(within: hurry.valueIfFulfilled == nil ? .seconds(30) : .seconds(5)) {
            [work, spec] in
            try Receipts(of: spec, in: work.run, for: work.claim)?
                .count { prepared.checkpointWatch?.wasFollowed($0) == true }
        }
        // Printed after the watch looked last.
        let step = prepared.reader?.lastStep(in: supervisor.tail.now.bytes)
        let death = outcome?.kind == .finished ? nil : await self.death(of: outcome, prepared, gone: gone)
        work.journal.change { record in
            record.checkpoints = found
            if let step { record.step = step }
            record.lasted(work.seconds)
            record.death = death.map { death in
                var death = death
                death.lostSteps = found.flatMap { record.stepsLost(after: $0) }
                death.stall = record.death?.stall
                death.teardown = record.death?.teardown
                if let asked = prepared.asked {
                    death.teardown?.goneAfter = gone.map { asked.time.duration(to: $0).inSeconds }
                }
                return death
            }
        }
        let verdict = outcome?.kind.isFault == true ? await verdict() : nil
        if verdict?.isRetry != true { await guardTheEnd() }
        // What the volume lost is told before the end is.
        if hurry.valueIfFulfilled == nil { await work.log.sync() }
        if let outcome {
            if let reason = outcome.message {
                work.log.say(.outcome(outcome.kind, reason: reason))
            } else if outcome.kind == .outOfMemory {
                work.log.say(.outOfMemory(kills: prepared.outOfMemoryKills ?? 0))
            }
            work.log.say(.exitCode(Exit.ofPod(outcome)))
        }
        await work.log.sync()
        return .attemptFinished(verdict)
    }

    /// Sees to it that the run's newest checkpoint is safe before the pod may go.
    private func guardTheEnd() async {
        let watch = prepared.withLock(\.checkpointWatch)
        let isWell = work.journal.current.outcome?.exit == .code(0)
        var receipts = Receipts(of: spec, in: work.run, for: work.claim)
        receipts?.say = { [log = work.log] in log.say($0) }
        let gate = SafetyGate(receipts: receipts, seen: { watch?.save(of: $0) }) { checkpoint in
            isWell ? .exit : watch?.wasFollowed(checkpoint) == true ? .laterStep : nil
        }
        watch?.stop()
        // Unless the volume hangs, it has stopped within moments.
        if hurry.valueIfFulfilled == nil { _ = await watch?.ended.value(within: .seconds(5)) }
        let doubt = hurry.valueIfFulfilled == nil ? await gate.check(hurry: hurry) : SafetyGate.noTime
        prepared.withLock { $0.gate = doubt.map(Gate.refused) ?? .passed }
        guard let doubt, hurry.valueIfFulfilled == nil else { return }
        work.log.say(.checkpointNotSafe(doubt))
        notify(.failedGate, message: doubt)
    }

    enum Gate: Sendable, Equatable {
        case passed
        case refused(String)
    }

    /// How the pod may end by `rule`, once the end is published.
    func wayToEnd(by rule: OnFinish?) -> PodEnd {
        let (gate, isPublished) = prepared.withLock { ($0.gate, $0.isPublished) }
        return PodEnd(rule, isSafe: gate == .passed && isPublished)
    }

    private func death(of outcome: Outcome?, _ prepared: Prepared, gone: ContinuousClock.Instant?) async -> Death {
        var death = Death()
        death.lines = supervisor.tail.lines(30)
        death.outOfMemoryKills = prepared.outOfMemoryKills
        let look = try? await looking { [saves = supervisor.saves, spec] in
            (disks: [spec.volume, "/"].compactMap { DiskUsage.at($0) }, newestSave: saves?.folder.newestSave)
        }
        death.disks = look?.disks ?? []
        if let asked = prepared.asked {
            death.secondsAfterSignal = (prepared.ended ?? gone).map { max(0, asked.time.duration(to: $0).inSeconds) }
            if supervisor.saves != nil, let look {
                let isLater = (look.newestSave ?? 0) > Int(asked.date.timeIntervalSince1970 * 1e9)
                // What SIGKILL ends may have been in the middle of it.
                death.savedOnSignal = isLater && outcome?.exit?.shellCode != 128 + SIGKILL
            }
        }
        return death
    }

    /// Of the attempts of this launch, this one included.
    private func verdict() async -> RetryRule.Verdict {
        let current = work.journal.current
        let attempts = try? await looking { [work] in
            try work.claims.filter { $0.launch == work.claim.launch && $0.number < work.claim.number }
                .compactMap { try work.run.readRecord($0.number) }
        }
        return RetryRule(policy: spec.retry).verdict(on: (attempts ?? []) + [current], jitter: .random(in: 0...1))
    }

    /// What `body` finds on the volume; nil where that takes longer. The end does not wait for a volume that hangs.
    private func looking<Result: Sendable>(
        within patience: Duration = .seconds(5), _ body: @escaping @Sendable () throws -> Result?
    ) async throws -> Result? {
        try await DedicatedThread.run(within: patience, body) ?? nil
    }

    /// The end is on the volume, and needs no room any more.
    private func removeReserve() {
        work.volume.enqueue { [work] in try? File.remove(work.run.reservePath(work.claim.number)) }
    }

    func publish(gracefully: Bool) async -> Event {
        // Of an attempt that waited for the next one, or was called off before it, which had none yet.
        if prepared.withLock({ $0.gate == nil }) { await guardTheEnd() }
        if hurry.valueIfFulfilled == nil { await work.log.sync() }
        let isRecorded = await work.journal.durable(within: .seconds(30))
        if !isRecorded { Console.say("the volume takes no record of the end") }
        if case let rest = work.log.waiting, rest > 0 {
            Console.say("the volume does not take the last \(rest) bytes of the log")
        }
        let isLogged = work.log.waiting == 0 && work.log.progress.durable == work.log.progress.end
        prepared.withLock { $0.isPublished = isRecorded && isLogged }
        removeReserve()
        work.log.progress.close()
        await server.quiet(within: gracefully ? .seconds(5) : .milliseconds(200))
        return .published
    }
}

extension AttemptRecord {
    /// Steps that the training told of after the newest checkpoint. nil where it told of none, or the checkpoint's is not known.
    fileprivate func stepsLost(after found: CheckpointCount) -> Double? {
        guard let step, let saved = found.newest.map(\.step) ?? 0 else { return nil }
        let lost = step - Double(saved)
        return lost >= 0 ? lost : nil
    }
}
