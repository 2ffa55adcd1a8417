internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// The end of an attempt: what is found, what is written down, and whether another one follows.
extension AttemptRunner {
    func settle(patiently: Bool, outcome: Outcome?) async -> Event {
        // The training's end is the first durable fact; only then may anything that takes time follow.
        if await !work.journal.durable(within: .seconds(30)) {
            work.log.say("RECORD: the volume takes no record of the end")
        }
        await supervisor.settle(patiently: patiently)
        let count = Promise<CheckpointCount?>()
        Task { count.keep(try? await countCheckpoints()) }
        // Only a volume that hangs takes longer, and the end does not wait for it.
        let found = await count.value(within: .seconds(5)) ?? nil
        let (told, kills) = prepared.withLock { ($0.told, $0.outOfMemoryKills) }
        // Printed after the watch looked last.
        let step = (try? ProgressReader(pattern: spec.progress))?.lastStep(in: supervisor.tail.now.bytes)
        let death = outcome?.kind == .finished ? nil : await self.death(told: told, kills: kills)
        work.journal.change { record in
            record.checkpoints = found
            if let step { record.step = step }
            record.lasted(work.seconds)
            if var death {
                death.lostSteps = record.step.map { $0 - Double(found?.newest?.step ?? 0) }.flatMap {
                    $0 >= 0 ? $0 : nil
                }
                death.stall = record.death?.stall
                record.death = death
            }
        }
        let verdict = outcome?.kind.isFault == true ? await verdict() : nil
        if verdict?.isRetry != true { await guardTheEnd() }
        if let outcome {
            if let message = outcome.message { work.log.say("\(outcome.kind.rawValue.uppercased()): \(message)") }
            work.log.say("EXIT_CODE=\(RunState.exitCode(outcome))")
        }
        await work.log.sync()
        return .settled(verdict)
    }

    /// Sees to it that the run's newest checkpoint is safe before the pod may go.
    private func guardTheEnd() async {
        let watch = prepared.withLock(\.checkpointWatch)
        let isWell = work.journal.current.outcome?.exit == .code(0)
        var receipts = Receipts(of: spec, in: work.run, for: work.claim)
        receipts?.say = { [log = work.log] in log.say($0) }
        let gate = SafetyGate(receipts: receipts) { checkpoint in
            isWell ? .exit : watch?.wasFollowed(checkpoint) == true ? .laterStep : nil
        }
        watch?.stop()
        // Unless the volume hangs, it has stopped within moments.
        if hurry.valueIfKept == nil { _ = await watch?.ended.value(within: .seconds(5)) }
        let doubt = hurry.valueIfKept == nil ? await gate.check(hurry: hurry) : SafetyGate.noTime
        prepared.withLock { $0.gate = doubt.map(Gate.refused) ?? .passed }
        guard let doubt, hurry.valueIfKept == nil else { return }
        work.log.say("GATE: the newest checkpoint is not proven to be safe: \(doubt)")
        notify(.failedGate, message: doubt)
    }

    enum Gate: Sendable, Equatable {
        case passed
        case refused(String)
    }

    /// How the pod may end, once the end is published.
    var wayToEnd: MeterEnd.Way {
        let (gate, isPublished) = prepared.withLock { ($0.gate, $0.isPublished) }
        return MeterEnd.Way(spec.onFinish, isSafe: gate == .passed && isPublished)
    }

    private func death(
        told: (at: ContinuousClock.Instant, date: Date)?, kills: Int?
    ) async -> Death {
        var death = Death()
        death.lines = supervisor.tail.lines(30)
        death.outOfMemoryKills = kills
        let seen = Promise<(disks: [Death.Disk], newestChange: Int?)>()
        Task { [saves, spec] in
            let seeing = try? await DedicatedThread.run {
                ([spec.volume, "/"].compactMap { DiskLook.at($0) }, saves?.folder.newestChange)
            }
            seen.keep((seeing?.0 ?? [], seeing?.1))
        }
        let look = await seen.value(within: .seconds(5))
        death.disks = look?.disks ?? []
        if let told {
            death.secondsAfterSignal = told.at.duration(to: .now).inSeconds
            if saves != nil {
                death.savedOnSignal = (look?.newestChange ?? 0) > Int(told.date.timeIntervalSince1970 * 1e9)
            }
        }
        return death
    }

    /// Of the attempts of this launch, this one included.
    private func verdict() async -> RetryRule.Verdict {
        let current = work.journal.current
        let attempts = try? await DedicatedThread.run { [work] in
            try work.claims.filter { $0.launch == work.claim.launch && $0.number < work.claim.number }
                .compactMap { try work.run.attempt($0.number) }
        }
        return RetryRule(policy: spec.retry).verdict(on: (attempts ?? []) + [current], jitter: .random(in: 0...1))
    }

    private func countCheckpoints() async throws -> CheckpointCount? {
        try await DedicatedThread.run { [work, spec] in
            guard let folder = CheckpointFolder(of: spec, in: work.run) else { return nil }
            let lineage = try Lineage.load(work.claim.lineage, in: work.run)
            let own = try folder.candidates().filter { !lineage.found($0) }
            return CheckpointCount(count: own.count, newest: try folder.newest(in: lineage))
        }
    }

    /// The end is on the volume, and needs no room any more.
    func removeReserve() {
        work.volume.enqueue { [work] in try? File.remove(work.run.reserve(of: work.claim.number)) }
    }

    func publish(patiently: Bool) async -> Event {
        // Of an attempt that waited for the next one, or was called off before it, which had none yet.
        if prepared.withLock({ $0.gate == nil }) { await guardTheEnd() }
        if hurry.valueIfKept == nil { await work.log.sync() }
        let isRecorded = await work.journal.durable(within: .seconds(30))
        if !isRecorded { Console.say("the volume takes no record of the end") }
        if case let rest = work.log.waiting, rest > 0 {
            Console.say("the volume does not take the last \(rest) bytes of the log")
        }
        let isLogged = work.log.waiting == 0 && work.log.progress.durable == work.log.progress.end
        prepared.withLock { $0.isPublished = isRecorded && isLogged }
        removeReserve()
        work.log.progress.close()
        await server.quiet(within: patiently ? .seconds(5) : .milliseconds(200))
        return .published
    }
}
