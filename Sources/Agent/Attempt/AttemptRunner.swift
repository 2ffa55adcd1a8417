internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// Does for one attempt what the table says, and tells what came of it.
final class AttemptRunner: Sendable {
    let work: OpenAttempt
    let environment: AgentEnvironment
    let server: Server
    let supervisor: Supervisor
    let prepared = Mutex(Prepared())
    /// Kept once the pod is being taken away: from then on nothing is waited for that can be left.
    let hurry = Promise<Void>()
    private let notifier: Notifier
    /// What goes on beside the steps, as long as this attempt is the agent's current one.
    private let watches = Mutex<[Task<Void, Never>]>([])

    /// What the steps before the training found for those that follow.
    struct Prepared {
        var python: PythonEnvironment?
        var checkpoint: CheckpointReference?
        var checkpointWatch: CheckpointWatch?
        var reader: ProgressReader?
        /// The training's environment.
        var variables: [String: String] = [:]
        /// When the training's end was first asked for.
        var asked: (time: ContinuousClock.Instant, date: Date)?
        /// When the training's own process had ended.
        var ended: ContinuousClock.Instant?
        /// Tells from time to time how a patient teardown goes on.
        var countdown: Task<Void, Never>?
        /// nil until it was asked.
        var gate: Gate?
        /// The record of the end and all of the log are on stable storage.
        var isPublished = false
        /// Processes that the kernel killed for lack of memory while the training ran.
        var outOfMemoryKills: Int?
    }

    /// After a SIGKILL. To give hundreds of gigabytes of memory back takes seconds; what has not ended then hangs in a call.
    private static let patienceWithTheDead: Duration = .seconds(20)

    var spec: RunSpec { environment.spec }

    init(work: OpenAttempt, environment: AgentEnvironment, server: Server, supervisor: Supervisor, notifier: Notifier) {
        self.work = work
        self.environment = environment
        self.server = server
        self.supervisor = supervisor
        self.notifier = notifier
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
        if let duration = spec.limits.duration {
            after(max(0, duration - work.spentBefore.seconds)) {
                tell(.overLimit("all attempts together took limits.duration, \(Int(duration)) s"))
            }
        }
        if let cost = spec.limits.cost { limitCost(to: cost, tell) }
        if let crash = work.crash { notify(.interruption, of: crash) }
    }

    private func limitCost(to limit: Double, _ tell: @escaping @Sendable (Event) -> Void) {
        guard let bill = work.journal.current.bill, bill.price > 0 else {
            return work.log.say(.costUnlimited)
        }
        let left = limit - (work.spentBefore.cost ?? 0)
        // A price of next to nothing leaves more seconds than a clock can count.
        after(max(0, min(1e9, left / bill.price * 3600 - bill.billedBefore - work.seconds))) {
            tell(.overLimit("all attempts together cost limits.cost, \(Dollars.text(limit))"))
        }
    }

    /// Ends what `start` began: the next attempt has its own. Returns the log, whose followers go on to the next one's.
    func retire() -> LogWriter {
        for task in watches.withLock({ $0 }) { task.cancel() }
        // The next claim is this agent's own.
        work.volume.look(isSuperseded: nil)
        return work.log
    }

    func watch(_ body: @escaping @Sendable () async -> Void) {
        watches.withLock { $0.append(Task { await body() }) }
    }

    private func after(_ seconds: Double, _ body: @escaping @Sendable () -> Void) {
        // What is used up already is told before the attempt's first step is over.
        if seconds <= 0 { return body() }
        watch {
            try? await Task.sleep(for: .seconds(seconds))
            if !Task.isCancelled { body() }
        }
    }

    /// `asked` is when what asks for it happened.
    func perform(
        _ effect: AttemptEffect, in state: RunState, asked: ContinuousClock.Instant,
        tell: @escaping @Sendable (Event) -> Void
    ) {
        if state.ending.isPreempted { hurry.fulfil(()) }
        switch effect {
        case .record: record(state)
        case .setUp(let setup):
            step(tell) {
                try await self.setUp(setup)
                return .stepDone(setup)
            }
        case .train: step(tell) { try await self.train(tell) }
        case .tearDown(let teardown):
            // What is left of a training that ended by itself is ended without a word in the record.
            let isOver = state.state == .finishing || state.state == .waiting
            tearDown(teardown, asked: isOver && prepared.withLock { $0.asked == nil } ? nil : asked)
            if !isOver { after((teardown.length + Self.patienceWithTheDead).inSeconds) { tell(.unkillable) } }
        case .captureStall:
            Task {
                await captureStall()
                tell(.stallCaptured)
            }
        case .finishAttempt(let gracefully):
            step(tell) { await self.finishAttempt(gracefully: gracefully, outcome: state.outcome) }
        case .schedule(let pause): schedule(pause)
        case .pause(let pause):
            schedule(pause)
            work.log.say(.retry(attempt: work.claim.number + 1, after: pause))
            after(pause.inSeconds) { tell(.pauseOver) }
        case .publish(let gracefully): step(tell) { await self.publish(gracefully: gracefully) }
        case .fence: work.volume.fence()
        }
    }

    /// Before the pod's end: nothing of the training outlives the agent.
    func leave() async {
        if work.journal.current.state == .waiting { notify(.interruption, tries: 1) }
        await supervisor.killAll()
    }

    /// Tells whom the config names. Nothing waits for it.
    func notify(_ event: Notice.Event, of record: AttemptRecord? = nil, message: String? = nil, tries: Int = 4) {
        let notice = Notice(event, of: record ?? work.journal.current, message: message, at: Date())
        notifier.send(notice, tries: tries) { [work] in
            // The last line of the log is that of the exit code.
            if work.journal.current.isOver { Console.say($0) } else { work.log.say($0) }
        }
    }

    private func step(_ tell: @escaping @Sendable (Event) -> Void, _ body: @escaping @Sendable () async throws -> Event)
    {
        Task {
            do { tell(try await body()) } catch { tell(.setupFailed("\(error)")) }
        }
    }

    private func record(_ state: RunState) {
        let before = work.journal.current
        work.journal.change { record in
            record.lasted(work.seconds)
            if record.state != state.state { record.enter(state.state, at: Date()) }
            record.outcome = state.outcome
        }
        if let event = Notice.Event(from: before, to: work.journal.current) {
            notify(event, tries: state.ending.isPreempted ? 1 : 4)
        }
        if state.outcome?.kind == .stopped, before.outcome?.kind.isFault == true, let message = state.outcome?.message {
            work.log.say(.outcome(.stopped, reason: message))
        }
    }

    private func schedule(_ pause: Duration) {
        work.journal.change { $0.next = Date() + pause.inSeconds }
    }

    private func setUp(_ step: SetupStep) async throws {
        switch step {
        case .preflight: try await preflight()
        case .syncing: try await sync()
        case .installing: try await install()
        case .resuming: try await chooseCheckpoint()
        }
    }

    private func preflight() async throws {
        try await Preflight(volume: spec.volume, work: work.run.work).check { [log = work.log] path, free in
            log.say(.lowSpace(path, free: free))
        }
    }

    private func sync() async throws {
        try await DedicatedThread.run { [self] in
            guard let code = spec.code else { return }
            let sync = CodeSync(code: code, volume: Volume(root: spec.volume), run: work.run)
            _ = try sync.perform { supervisor.isCalledOff }
        }
    }

    private func install() async throws {
        guard let dependencies = spec.dependencies, !dependencies.requirements.isEmpty else { return }
        let installer = Installer(
            dependencies: dependencies, volume: Volume(root: spec.volume), run: spec.run, code: spec.code?.sha256,
            folder: work.run.work,
            environment: ChildEnvironment.clean(environment.all, stream: work.claim.stream), supervisor: supervisor)
        let python = try await installer.install { [log = work.log] in log.say($0) }
        prepared.withLock { $0.python = python }
    }

    private func chooseCheckpoint() async throws {
        let reader = try ProgressReader(pattern: spec.progress)
        let (chosen, watch) = try await DedicatedThread.run {
            [self] () -> (CheckpointChoice.Chosen?, CheckpointWatch?) in
            guard var receipts = Receipts(of: spec, in: work.run, for: work.claim) else { return (nil, nil) }
            receipts.isCancelled = { [supervisor] in supervisor.isCalledOff }
            receipts.say = { [log = work.log] in log.say($0) }
            let chosen = try CheckpointChoice(receipts: receipts).choose()
            let saves = SaveWatch(folder: receipts.folder)
            let watch = CheckpointWatch(receipts: receipts, open: saves.namesWithOpenFile) { [tail = supervisor.tail] in
                reader.lastStep(in: tail.now.bytes)
            }
            try watch.begin()
            return (chosen, watch)
        }
        prepared.withLock { ($0.checkpoint, $0.checkpointWatch) = (chosen?.checkpoint, watch) }
        work.journal.change { $0.resumedFrom = chosen?.checkpoint }
        work.log.say(.config(try JSON.text(spec)))
        if isForced { work.log.say(.forceRestart) }
        work.log.say(
            chosen.map { .resuming(from: $0.checkpoint.path, isProven: $0.isProven) } ?? .startingFresh)
    }

    /// Whether this attempt is the first of a lineage that a forced launch began.
    private var isForced: Bool {
        work.claim.lineage == work.claim.launch && spec.launch.force
            && !work.claims.dropLast().contains { $0.lineage == work.claim.lineage }
    }

    private func train(_ tell: @escaping @Sendable (Event) -> Void) async throws -> Event {
        let (python, checkpoint, checkpointWatch) = prepared.withLock { ($0.python, $0.checkpoint, $0.checkpointWatch) }
        let variables = ChildEnvironment.training(
            environment.all, stream: work.claim.stream, spec: spec, python: python, checkpoint: checkpoint?.path)
        // PATH may lead to the volume.
        let shell = try await DedicatedThread.run { TrainingCommand.Shell.available(path: variables["PATH"]) }
        let arguments = TrainingCommand.arguments(of: spec, resumingFrom: checkpoint?.path, shell: shell)
        let folder = work.run.work.appending(path: spec.workdir)
        let counter = MemoryCounter()
        let before = counter?.kills
        let reader = try ProgressReader(pattern: spec.progress)
        prepared.withLock {
            $0.reader = reader
            $0.variables = variables
        }
        watchTraining(reader, tell)
        checkpointWatch?.start()
        defer { checkpointWatch?.stop() }
        let status = try await supervisor.train(
            arguments, environment: variables, folder: folder, on: spec.tty)
        let kills = before.flatMap { before in counter?.kills.map { $0 - before } }
        prepared.withLock {
            $0.ended = .now
            $0.outOfMemoryKills = kills
        }
        if status != .code(0), kills ?? 0 > 0 || OutOfMemory.isTold(in: supervisor.tail.lines(200)) {
            tell(.outOfMemory)
        }
        return .trainingEnded(status)
    }

    private func watchTraining(_ reader: ProgressReader, _ tell: @escaping @Sendable (Event) -> Void) {
        let watcher = TrainingWatch(
            tail: supervisor.tail, reader: reader, stall: spec.limits.stall, saves: supervisor.saves
        ) { [work] step in
            work.journal.note { $0.step = step }
        }
        watch {
            guard let still = await watcher.run() else { return }
            tell(.stalled("no new step for \(Int(still)) s"))
        }
    }
}
