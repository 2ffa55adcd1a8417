internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// Does for one attempt what the table says, and tells what came of it.
final class AttemptRunner: Sendable {
    private let work: Work
    private let environment: AgentEnvironment
    private let server: Server
    private let supervisor: Supervisor
    private let prepared = Mutex(Prepared())
    /// What goes on beside the steps, as long as this attempt is the agent's current one.
    private let watches = Mutex<[Task<Void, Never>]>([])

    /// What the steps before the training found for those that follow.
    private struct Prepared {
        var python: PythonEnvironment?
        var checkpoint: CheckpointReference?
        /// When the training was first told to end.
        var told: (at: ContinuousClock.Instant, date: Date)?
        /// Processes that the kernel killed for lack of memory while the training ran.
        var outOfMemoryKills: Int?
    }

    private var spec: RunSpec { environment.spec }

    init(work: Work, environment: AgentEnvironment, server: Server, supervisor: Supervisor) {
        self.work = work
        self.environment = environment
        self.server = server
        self.supervisor = supervisor
    }

    /// Begins what goes on beside the steps: beats, and the limits of the run.
    func start(tell: @escaping @Sendable (Event) -> Void) {
        let heartbeat = Heartbeat(run: work.run, attempt: work.claim.number, volume: work.volume) { [work] in
            (work.seconds, work.journal.current.step)
        }
        watch {
            await heartbeat.beat()
            if !Task.isCancelled { tell(.superseded) }
        }
        if let setup = spec.limits.setup {
            after(setup) { tell(.setupTimedOut("the preparation took longer than limits.setup, \(Int(setup)) s")) }
        }
        if let duration = spec.limits.duration {
            after(max(0, duration - work.secondsBefore)) {
                tell(.overLimit("all attempts together took limits.duration, \(Int(duration)) s"))
            }
        }
    }

    /// Ends what `start` began: the next attempt has its own. Returns the log, whose followers go on to the next one's.
    func retire() -> LogWriter {
        for task in watches.withLock({ $0 }) { task.cancel() }
        return work.log
    }

    private func watch(_ body: @escaping @Sendable () async -> Void) {
        watches.withLock { $0.append(Task { await body() }) }
    }

    private func after(_ seconds: Double, _ body: @escaping @Sendable () -> Void) {
        watch {
            try? await Task.sleep(for: .seconds(seconds))
            if !Task.isCancelled { body() }
        }
    }

    func perform(_ effect: Effect, in state: RunState, tell: @escaping @Sendable (Event) -> Void) {
        switch effect {
        case .record: record(state)
        case .sync: step(tell) { try await self.sync() }
        case .install: step(tell) { try await self.install() }
        case .chooseCheckpoint: step(tell) { try await self.chooseCheckpoint() }
        case .train: step(tell) { try await self.train(tell) }
        case .tearDown(let teardown):
            prepared.withLock { if $0.told == nil { $0.told = (.now, Date()) } }
            supervisor.tearDown(teardown)
        case .examine: Task { await examine() }
        case .settle(let patiently): step(tell) { await self.settle(patiently: patiently, outcome: state.outcome) }
        case .wait(let pause):
            work.journal.change { $0.next = Date() + pause.inSeconds }
            work.log.say("RETRY: attempt \(work.claim.number + 1) in \(Int(pause.inSeconds.rounded())) s")
            removeReserve()
            after(pause.inSeconds) { tell(.waited) }
        case .publish(let patiently): step(tell) { await self.publish(patiently: patiently) }
        case .fence: work.volume.fence()
        case .startNext, .exit: break
        }
    }

    /// Before the pod's end: nothing of the training outlives the agent.
    func leave() async {
        await supervisor.killAll()
    }

    private func step(_ tell: @escaping @Sendable (Event) -> Void, _ body: @escaping @Sendable () async throws -> Event)
    {
        Task {
            do { tell(try await body()) } catch { tell(.setupFailed("\(error)")) }
        }
    }

    private func record(_ state: RunState) {
        work.journal.change { record in
            record.seconds = work.seconds
            if record.state != state.state { record.enter(state.state, at: Date()) }
            record.outcome = state.outcome
        }
    }

    private func sync() async throws -> Event {
        try await DedicatedThread.run { [self] in
            try File.makeFolders(work.run.work)
            guard let code = spec.code else { return }
            let sync = CodeSync(code: code, volume: Volume(root: spec.volume), run: work.run)
            _ = try sync.perform { supervisor.isCalledOff }
        }
        return .synced
    }

    private func install() async throws -> Event {
        guard let dependencies = spec.dependencies, !dependencies.requirements.isEmpty else { return .installed }
        let installer = Installer(
            dependencies: dependencies, volume: Volume(root: spec.volume), run: spec.run, code: spec.code?.sha256,
            folder: work.run.work,
            environment: ChildEnvironment.clean(environment.all, stream: work.claim.stream), supervisor: supervisor)
        let python = try await installer.install { [log = work.log] in log.say($0) }
        prepared.withLock { $0.python = python }
        return .installed
    }

    private func chooseCheckpoint() async throws -> Event {
        let newest = try await DedicatedThread.run { [work, spec] in
            try CheckpointFolder(of: spec, in: work.run)?.newest(in: try Lineage.load(work.claim.lineage, in: work.run))
        }
        prepared.withLock { $0.checkpoint = newest }
        work.journal.change { $0.resumedFrom = newest }
        work.log.say("CONFIG: \(try JSON.text(spec))")
        if isForced { work.log.say("FORCE RESTART: checkpoints ignored") }
        work.log.say(newest.map { "RESUMING FROM: \($0.path)" } ?? "STARTING FRESH")
        return .resumeChosen
    }

    /// Whether this attempt is the first of a lineage that a forced launch began.
    private var isForced: Bool {
        work.claim.lineage == work.claim.launch && spec.launch.force
            && !work.claims.dropLast().contains { $0.lineage == work.claim.lineage }
    }

    private func train(_ tell: @escaping @Sendable (Event) -> Void) async throws -> Event {
        let (python, checkpoint) = prepared.withLock { ($0.python, $0.checkpoint) }
        let variables = ChildEnvironment.training(
            environment.all, stream: work.claim.stream, spec: spec, python: python, checkpoint: checkpoint?.path)
        // PATH may lead to the volume.
        let shell = try await DedicatedThread.run { TrainingCommand.Shell.available(path: variables["PATH"]) }
        let arguments = TrainingCommand.arguments(of: spec, resumingFrom: checkpoint?.path, shell: shell)
        let folder = work.run.work.appending(path: spec.workdir)
        let counter = MemoryCounter()
        let before = counter?.kills
        watchTraining(try ProgressReader(pattern: spec.progress), tell)
        let status = try await supervisor.train(arguments, environment: variables, folder: folder)
        let kills = before.flatMap { before in counter?.kills.map { $0 - before } }
        prepared.withLock { $0.outOfMemoryKills = kills }
        if status != .code(0), kills ?? 0 > 0 || OutOfMemory.isTold(in: supervisor.tail.lines(200)) {
            tell(.outOfMemory)
        }
        return .trainingEnded(status)
    }

    private func watchTraining(_ reader: ProgressReader, _ tell: @escaping @Sendable (Event) -> Void) {
        let watcher = TrainingWatch(
            tail: supervisor.tail, reader: reader, stall: spec.limits.stall, saves: saves
        ) { [work] step in
            work.journal.note { $0.step = step }
        }
        watch {
            guard let still = await watcher.run() else { return }
            tell(.stalled("no new step for \(Int(still)) s"))
        }
    }

    private var saves: SaveWatch? { CheckpointFolder(of: spec, in: work.run).map { SaveWatch(folder: $0) } }

    /// Looks at a training that stands still without touching it, then makes Python print where it is, and ends it.
    private func examine() async {
        let lines = (try? await DedicatedThread.run { ProcessLook.lines(at: ProcessTree.running) }) ?? []
        work.journal.change { record in
            record.death = Death()
            record.death?.stall = lines
        }
        for line in ["STALLED: what can be seen from outside:"] + lines { work.log.say(line) }
        prepared.withLock { $0.told = (.now, Date()) }
        supervisor.tearDown(.dump)
    }

    private func settle(patiently: Bool, outcome: Outcome?) async -> Event {
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
        let death = outcome?.kind == .finished ? nil : await self.death(found, told: told, kills: kills)
        work.journal.change { record in
            record.checkpoints = found
            if let step { record.step = step }
            record.seconds = work.seconds
            if var death {
                death.lostSteps = record.step.map { $0 - Double(found?.newest?.step ?? 0) }.flatMap {
                    $0 >= 0 ? $0 : nil
                }
                death.stall = record.death?.stall
                record.death = death
            }
        }
        if let outcome {
            if let message = outcome.message { work.log.say("\(outcome.kind.rawValue.uppercased()): \(message)") }
            work.log.say("EXIT_CODE=\(RunState.exitCode(outcome))")
        }
        await work.log.sync()
        return .settled(outcome?.kind.isFault == true ? await verdict() : nil)
    }

    private func death(
        _ checkpoints: CheckpointCount?, told: (at: ContinuousClock.Instant, date: Date)?, kills: Int?
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
    private func removeReserve() {
        work.volume.enqueue { [work] in try? File.remove(work.run.reserve(of: work.claim.number)) }
    }

    private func publish(patiently: Bool) async -> Event {
        if await !work.journal.durable(within: .seconds(30)) { Console.say("the volume takes no record of the end") }
        if case let rest = work.log.waiting, rest > 0 {
            Console.say("the volume does not take the last \(rest) bytes of the log")
        }
        removeReserve()
        work.log.progress.close()
        await server.quiet(within: patiently ? .seconds(5) : .milliseconds(200))
        return .published
    }
}
