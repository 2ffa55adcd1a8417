internal import Glibc
internal import Shared
internal import Synchronization

/// Runs the attempt's children one after the other, keeps what they print, and ends them and all that they started.
final class Supervisor: TrainingProcesses {
    private struct State {
        var leader: pid_t?
        var output: OutputPipe?
        /// How the children are being ended. Once it is set no new one starts.
        var teardown: (plan: Teardown, start: ContinuousClock.Instant, note: Teardown.Note)?
        var teardownTask: Task<Void, Never>?
    }

    private let children: Children
    private let log: LogWriter
    /// nil where the spec names no checkpoints.
    private let saves: SaveWatch?
    private let mask: SecretMask
    private let state = Mutex(State())
    /// What the training prints, and nothing else.
    let tail = OutputTail()

    /// What the children print passes `mask` before it goes anywhere.
    init(children: Children, log: LogWriter, saves: SaveWatch?, mask: SecretMask) {
        self.children = children
        self.log = log
        self.saves = saves
        self.mask = mask
    }

    /// Whether the children were told to end. Work between two children stops then.
    var isCalledOff: Bool { state.withLock { $0.teardown != nil } }

    /// Runs one child with its output in the log, and returns when the child itself has ended.
    /// What it started may linger and print on until `drain`, or until the next child.
    func run(_ arguments: [String], environment: [String: String], folder: String) async throws -> ExitStatus {
        try await run(arguments, environment: environment, folder: folder) { [log] in log.append($0) }
    }

    /// Runs one child and returns all that it printed.
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
        // The program and the folder may be on the volume, so that even the start can hang.
        let child = try await DedicatedThread.run { [self] in
            if isCalledOff { throw Problem("called off before \"\(arguments[0])\" was started") }
            return try children.start(job)
        }
        state.withLock { state in
            state.leader = child.pid
            proceed(&state)
        }
        let status = await child.exit.value
        state.withLock { $0.leader = nil }
        return status
    }

    /// Runs the training, on a pseudoterminal or not. Its output is in `tail` too.
    func train(
        _ arguments: [String], environment: [String: String], folder: String, on terminal: Bool
    ) async throws -> ExitStatus {
        try await run(arguments, environment: environment, folder: folder, on: terminal) { [log, tail] bytes in
            tail.append(bytes)
            log.append(bytes)
        }
    }

    /// The running child.
    var leader: pid_t? { state.withLock(\.leader) }

    /// Begins to end the running child, and all that it started. One that is under way is replaced only by one that ends sooner.
    /// `began` is called before the first signal, and `note` with each.
    func tearDown(_ plan: Teardown, began: () -> Void, note: @escaping Teardown.Note) {
        state.withLock { state in
            let start = ContinuousClock.now
            if let current = state.teardown, current.start + current.plan.length <= start + plan.length { return }
            began()
            state.teardown = (plan, start, note)
            proceed(&state)
        }
    }

    /// Takes the steps of the teardown that are still to come, if there is one, on whoever is the leader now.
    private func proceed(_ state: inout State) {
        guard let (plan, start, note) = state.teardown else { return }
        state.teardownTask?.cancel()
        state.teardownTask = Task { [leader = state.leader, saves] in
            await plan.run(on: leader, from: start, isSaving: { saves?.isSaving() ?? false }, note: note)
        }
    }

    /// After the training's end: keeps what is still in the pipe, gives what lingers 10 s to end by itself
    /// (or none where there is no time for patience), and ends the rest. Returns when nothing was left; nil where something is.
    func drain(gracefully: Bool) async -> ContinuousClock.Instant? {
        let output = state.withLock(\.output)
        let patience: Duration = gracefully ? .seconds(10) : .zero
        if gracefully { _ = await output?.ended.value(within: .seconds(2)) }
        let start = ContinuousClock.now
        while start.duration(to: .now) < patience && !ProcessTree.running.isEmpty {
            try? await Task.sleep(for: .milliseconds(20))
        }
        await killAll()
        let gone = ProcessTree.running.isEmpty ? ContinuousClock.now : nil
        await endOutput(within: .milliseconds(500))
        return gone
    }

    /// Ends the whole tree, or gives up after a second on tasks that hang in a call on the volume.
    func killAll() async {
        let start = ContinuousClock.now
        state.withLock { state in
            // Also where one of the same kind has had its turn: there may be more by now.
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

    private func endOutput(within patience: Duration) async {
        let output = state.withLock { state -> OutputPipe? in
            defer { state.output = nil }
            return state.output
        }
        guard let output else { return }
        _ = await output.ended.value(within: patience)
        output.cut()
        // Longer only where the log's volume hangs, and then the reader is left behind.
        _ = await output.ended.value(within: .seconds(1))
    }
}
