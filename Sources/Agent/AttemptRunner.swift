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

    /// What the steps before the training found for those that follow.
    private struct Prepared {
        var python: PythonEnvironment?
        var checkpoint: CheckpointReference?
    }

    private var spec: RunSpec { environment.spec }

    init(work: Work, environment: AgentEnvironment, server: Server, supervisor: Supervisor) {
        self.work = work
        self.environment = environment
        self.server = server
        self.supervisor = supervisor
    }

    func startHeartbeat(tell: @escaping @Sendable (Event) -> Void) {
        Task {
            await Heartbeat(run: work.run, attempt: work.claim.number, volume: work.volume).beat()
            tell(.superseded)
        }
    }

    func perform(_ effect: Effect, in state: RunState, tell: @escaping @Sendable (Event) -> Void) {
        switch effect {
        case .record: record(state)
        case .sync: step(tell) { try await self.sync() }
        case .install: step(tell) { try await self.install() }
        case .chooseCheckpoint: step(tell) { try await self.chooseCheckpoint() }
        case .train: step(tell) { try await self.train() }
        case .tearDown(let teardown): supervisor.tearDown(teardown)
        case .settle(let patiently): step(tell) { await self.settle(patiently: patiently, outcome: state.outcome) }
        case .publish(let patiently): step(tell) { await self.publish(patiently: patiently) }
        case .fence: work.volume.fence()
        case .exit: break
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

    private func train() async throws -> Event {
        let (python, checkpoint) = prepared.withLock { ($0.python, $0.checkpoint) }
        let variables = ChildEnvironment.training(
            environment.all, stream: work.claim.stream, spec: spec, python: python, checkpoint: checkpoint?.path)
        // PATH may lead to the volume.
        let shell = try await DedicatedThread.run { TrainingCommand.Shell.available(path: variables["PATH"]) }
        let arguments = TrainingCommand.arguments(of: spec, resumingFrom: checkpoint?.path, shell: shell)
        let folder = work.run.work.appending(path: spec.workdir)
        return .trainingEnded(try await supervisor.run(arguments, environment: variables, folder: folder))
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
        work.journal.change { $0.checkpoints = found }
        if let outcome {
            if let message = outcome.message { work.log.say("\(outcome.kind.rawValue.uppercased()): \(message)") }
            work.log.say("EXIT_CODE=\(RunState.exitCode(outcome))")
        }
        await work.log.sync()
        return .settled
    }

    private func countCheckpoints() async throws -> CheckpointCount? {
        try await DedicatedThread.run { [work, spec] in
            guard let folder = CheckpointFolder(of: spec, in: work.run) else { return nil }
            let lineage = try Lineage.load(work.claim.lineage, in: work.run)
            let own = try folder.candidates().filter { !lineage.found($0) }
            return CheckpointCount(count: own.count, newest: try folder.newest(in: lineage))
        }
    }

    private func publish(patiently: Bool) async -> Event {
        if await !work.journal.durable(within: .seconds(30)) { Console.say("the volume takes no record of the end") }
        work.volume.enqueue { [work] in try? File.remove(work.run.reserve(of: work.claim.number)) }
        work.log.progress.close()
        await server.quiet(within: patiently ? .seconds(5) : .milliseconds(200))
        return .published
    }
}
