internal import Shared

/// The run of the training's command.
struct Training: Sendable {
    let facts: TrainingFacts
    private let attempt: OpenAttempt
    private let checkpoints: CheckpointWatch?
    private let processes: any TrainingProcesses
    private let arguments: [String]
    /// nil if no trap watches the command.
    private let failedLine: FailedLine?

    /// `variables` are those that children inherit.
    init(
        _ attempt: OpenAttempt, after setup: Setup, variables: [String: String], processes: any TrainingProcesses
    ) async throws {
        let spec = attempt.spec
        let checkpoint = setup.resume?.path
        let environment = ChildEnvironment.training(
            variables, stream: attempt.claim.stream, spec: spec, python: setup.python, checkpoint: checkpoint)
        // On a thread of its own, because PATH may lead to the volume.
        let shell = try await DedicatedThread.run { TrainingCommand.Shell.available(path: environment["PATH"]) }
        let words = TrainingCommand.arguments(of: spec, resumingFrom: checkpoint, shell: shell)
        (arguments, failedLine) = try await DedicatedThread.run {
            let stored = try TrainingCommand.storingLongScript(words, at: "\(attempt.run.path)/command.sh")
            guard case .shell = spec.command, shell == .bash, stored == words, let script = words.last else {
                return (stored, nil)
            }
            return (stored, FailedLine(script: script, variables: environment, run: spec.run))
        }
        facts = TrainingFacts(
            progress: try setup.progress ?? ProgressFollower(tail: processes.tail, pattern: spec.progress),
            variables: environment)
        checkpoints = setup.watch
        self.attempt = attempt
        self.processes = processes
    }

    /// Returns when the training's own process has ended, and the training that it may have left in the background.
    func run() async throws -> (ExitStatus, TrainingFacts) {
        let counter = MemoryCounter()
        let before = counter?.kills
        checkpoints?.start()
        defer { checkpoints?.stop() }
        let variables = facts.variables.merging(failedLine?.variables ?? [:]) { $1 }
        var status = try await processes.train(
            arguments, environment: variables, folder: attempt.run.work.appending(path: attempt.spec.workdir),
            on: attempt.spec.tty)
        var facts = facts
        if let failedLine {
            let found = try? await DedicatedThread.run(within: .seconds(5)) { failedLine.take() }
            if status == .code(0), let found { facts.failedLine = found }
        }
        if status == .code(0) {
            switch await processes.followBackground(began: { attempt.log.say(.background($0)) }) {
            case .none: break
            case .exit(let exit): status = exit
            case .idle(let commands): facts.leftIdle = commands
            }
        }
        facts.ended = .now
        facts.outOfMemoryKills = before.flatMap { before in counter?.kills.map { $0 - before } }
        return (status, facts)
    }

    /// Reads the step from the output until the task is cancelled. Returns earlier if the training stalls: after so
    /// many seconds without a new step.
    func stalled() async -> Double? {
        let watch = TrainingWatch(
            progress: facts.progress, stall: attempt.spec.limits.stall, saves: attempt.saves
        ) { [journal = attempt.journal] step in
            journal.note { $0.step = step }
        } report: { [journal = attempt.journal] progress, pace in
            journal.change { record in
                (record.step, record.total) = (progress.step ?? record.step, progress.total)
                (record.loss, record.pace) = (progress.loss, pace)
            }
        } missStep: { [attempt] line in
            attempt.log.say(.noStep(line: String(line.prefix(200)), isStallSet: attempt.spec.limits.stall != .none))
        }
        return await watch.run()
    }

    /// Whether the kernel's counter or the last lines of the output say so.
    func ranOutOfMemory(_ status: ExitStatus, _ facts: TrainingFacts) -> Bool {
        status != .code(0) && (facts.outOfMemoryKills ?? 0 > 0 || OutOfMemory.isTold(in: processes.tail.lines(200)))
    }
}
