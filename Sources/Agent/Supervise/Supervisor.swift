internal import Glibc
internal import Shared
internal import Synchronization

/// Runs the attempt's children one after the other, collects their output, and ends them with all processes that they
/// started.
final class Supervisor: TrainingProcesses {
    private struct State {
        var leader: pid_t?
        /// The session of the last child that was started.
        var session: pid_t?
        var output: OutputPipe?
        /// The current teardown. Once it is set no new child starts.
        var teardown: (plan: Teardown, start: ContinuousClock.Instant, note: Teardown.Note)?
        var teardownTask: Task<Void, Never>?
    }

    private let children: Children
    private let log: LogWriter
    /// nil if the spec names no checkpoints.
    private let saves: SaveWatch?
    private let mask: SecretMask
    private let state = Mutex(State())
    let tail = OutputTail()

    /// The children's output passes `mask` before it goes anywhere.
    init(children: Children, log: LogWriter, saves: SaveWatch?, mask: SecretMask) {
        self.children = children
        self.log = log
        self.saves = saves
        self.mask = mask
    }

    var isCalledOff: Bool { state.withLock { $0.teardown != nil } }

    /// Processes that the child started may print until `drain`, or until the next child.
    func run(_ arguments: [String], environment: [String: String], folder: String) async throws -> ExitStatus {
        try await run(arguments, environment: environment, folder: folder) { [log] in log.append($0) }
    }

    func capture(
        _ arguments: [String], environment: [String: String], folder: String
    ) async throws -> (ExitStatus, [UInt8]) {
        let captured = Monitor<[UInt8]>([])
        let status = try await run(arguments, environment: environment, folder: folder) { bytes in
            captured.update { $0 += bytes }
        }
        await endOutput(within: .seconds(2))
        return (status, captured.read { $0 })
    }

    private func run(
        _ arguments: [String], environment: [String: String], folder: String, on terminal: Bool = false,
        deliver: @escaping @Sendable (ArraySlice<UInt8>) -> Void
    ) async throws -> ExitStatus {
        await endOutput(within: .zero)
        let output = try OutputPipe(on: terminal, mask: mask, deliver: deliver)
        state.withLock { $0.output = output }
        let job = Job(arguments: arguments, environment: environment, folder: folder, output: output.writeEnd)
        defer { output.closeWriteEnd() }
        // On a thread of its own, because the program and the folder may be on a volume that hangs.
        let child = try await DedicatedThread.run { [self] in
            if isCalledOff { throw Problem("called off before \"\(arguments[0])\" was started") }
            return try children.start(job)
        }
        state.withLock { state in
            state.leader = child.pid
            state.session = child.pid
            proceed(&state)
        }
        let status = await child.exit.value
        state.withLock { $0.leader = nil }
        return status
    }

    func train(
        _ arguments: [String], environment: [String: String], folder: String, on terminal: Bool
    ) async throws -> ExitStatus {
        try await run(arguments, environment: environment, folder: folder, on: terminal) { [log, tail] bytes in
            tail.append(bytes)
            log.append(bytes)
        }
    }

    func followBackground(began: ([String]) -> Void) async -> BackgroundTraining.End {
        if isCalledOff { return .none }
        let end = await BackgroundTraining(children: children, session: state.withLock(\.session)).follow(
            began: { began($0.map(mask.masking)) },
            lead: { pid in
                state.withLock { state in
                    state.leader = pid
                    proceed(&state)
                }
            }, isCalledOff: { [self] in isCalledOff })
        state.withLock { $0.leader = nil }
        guard case .idle(let commands) = end else { return end }
        return .idle(commands.map(mask.masking))
    }

    var leader: pid_t? { state.withLock(\.leader) }

    func tearDown(_ plan: Teardown, began: () -> Void, note: @escaping Teardown.Note) {
        state.withLock { state in
            let start = ContinuousClock.now
            if let current = state.teardown, current.start + current.plan.length <= start + plan.length { return }
            began()
            state.teardown = (plan, start, note)
            proceed(&state)
        }
    }

    /// Restarts the current teardown, if any, with the current leader. Steps whose time has passed are taken at once.
    private func proceed(_ state: inout State) {
        guard let (plan, start, note) = state.teardown else { return }
        state.teardownTask?.cancel()
        state.teardownTask = Task { [leader = state.leader, saves] in
            await plan.run(on: leader, from: start, isSaving: { saves?.isSaving() ?? false }, note: note)
        }
    }

    func drain(gracefully: Bool) async -> ContinuousClock.Instant? {
        let output = state.withLock(\.output)
        let grace: Duration = gracefully ? .seconds(10) : .zero
        if gracefully { _ = await output?.ended.value(within: .seconds(2)) }
        let start = ContinuousClock.now
        while start.duration(to: .now) < grace && !ProcessTree.running.isEmpty {
            try? await Task.sleep(for: .milliseconds(20))
        }
        if gracefully, !isCalledOff, case let left = ProcessTree.running, !left.isEmpty {
            log.say(.leftoversKilled(left.map(ProcessScan.command).map(mask.masking)))
        }
        await killAll()
        let gone = ProcessTree.running.isEmpty ? ContinuousClock.now : nil
        await endOutput(within: .milliseconds(500))
        return gone
    }

    func killAll() async {
        let start = ContinuousClock.now
        state.withLock { state in
            // Even after a teardown of the same kind, because there may be new processes.
            let silent: Teardown.Note = { _, _ in }
            state.teardown = (.immediate, start, state.teardown?.note ?? silent)
            proceed(&state)
        }
        while start.duration(to: .now) < .seconds(1) && !ProcessTree.running.isEmpty {
            try? await Task.sleep(for: .milliseconds(5))
        }
        state.withLock { $0.teardownTask?.cancel() }
    }

    func describe(environment: [String: String]) async -> [String] {
        // Reading a command line may need a page from a volume that hangs.
        let timeout: Duration = .seconds(5)
        let scan = try? await DedicatedThread.run(within: timeout) { ProcessScan.lines(at: ProcessTree.running) }
        let lines = (scan ?? ["the processes could not be read within \(timeout)"]).map(mask.masking)
        return lines + (await PySpy.lines(children: children, environment: environment, mask: mask))
    }

    private func endOutput(within timeout: Duration) async {
        let output = state.withLock { state -> OutputPipe? in
            defer { state.output = nil }
            return state.output
        }
        guard let output else { return }
        _ = await output.ended.value(within: timeout)
        output.cut()
        // The reader ends at once, unless the log's volume hangs. Then it is left behind.
        _ = await output.ended.value(within: .seconds(1))
    }
}
