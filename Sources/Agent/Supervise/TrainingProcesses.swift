internal import Glibc
internal import Shared

/// Runs commands one after the other and waits for each.
protocol JobRunner: Sendable {
    /// Runs a command with its output in the log, and returns when the command's own process has ended.
    func run(_ arguments: [String], environment: [String: String], folder: String) async throws -> ExitStatus

    /// Runs a command and returns all that it printed.
    func capture(
        _ arguments: [String], environment: [String: String], folder: String
    ) async throws -> (ExitStatus, [UInt8])
}

/// The children of one attempt, and all processes that they start.
protocol TrainingProcesses: JobRunner {
    /// The last output of the training.
    var tail: OutputTail { get }
    /// The running child; nil between two children.
    var leader: pid_t? { get }
    /// Whether the children are being ended. No new child starts then.
    var isCalledOff: Bool { get }

    /// Runs the training, on a pseudoterminal if `terminal`, and returns when its own process has ended.
    func train(
        _ arguments: [String], environment: [String: String], folder: String, on terminal: Bool
    ) async throws -> ExitStatus

    /// Returns when a training that the ended command left in the background has ended too. `began` gets its command
    /// lines once it is known to work.
    func followBackground(began: ([String]) -> Void) async -> BackgroundTraining.End

    /// Begins to end the running child and all that it started. Ignored if an earlier teardown kills no later than this
    /// one. `began` is called before the first signal, and `note` with each signal.
    func tearDown(_ plan: Teardown, began: () -> Void, note: @escaping Teardown.Note)

    /// Describes what each process is doing, without disturbing it. `environment` is the training's.
    func describe(environment: [String: String]) async -> [String]

    /// Ends what the training left: reads the rest of its output, gives its processes 10 s to end if `gracefully`,
    /// kills the rest. Returns when the last process was gone; nil if some hang in a system call.
    func drain(gracefully: Bool) async -> ContinuousClock.Instant?

    /// Kills all processes. Gives up after a second on those that hang in a system call.
    func killAll() async
}
