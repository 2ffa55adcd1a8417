import Glibc
import Shared

@testable import Agent

/// Children of an attempt that never exist: its test says how each of them ends.
final class FakeProcesses: TrainingProcesses {
    enum Call: Sendable, Equatable {
        case run([String])
        case train([String])
        case tearDown(Teardown)
        case describe
        case drain(gracefully: Bool)
        case killAll
    }

    private struct State {
        var calls: [Call] = []
        var note: Teardown.Note?
        var isCalledOff = false
    }

    let tail = OutputTail()
    private let state = Monitor(State())
    private let trainingEnd = Promise<ExitStatus>()
    private let runEnd: ExitStatus
    private let printed: String
    private let gone: Bool

    /// Each command of the setup ends with `runEnd`, and prints `printed` if it is captured.
    /// After the drain the processes are `gone`, or hang.
    init(runEnd: ExitStatus = .code(0), printed: String = "", gone: Bool = true) {
        self.runEnd = runEnd
        self.printed = printed
        self.gone = gone
    }

    var calls: [Call] { state.read(\.calls) }
    var isCalledOff: Bool { state.read(\.isCalledOff) }
    var isTraining: Bool { calls.contains { if case .train = $0 { true } else { false } } }
    var leader: pid_t? { nil }

    /// Ends the training.
    func end(_ status: ExitStatus) { trainingEnd.fulfil(status) }

    /// Reports a signal as a teardown's step does.
    func report(_ step: Teardown.Step, processes: Int) { state.read(\.note)?(step, processes) }

    private func record(_ call: Call) { state.update { $0.calls.append(call) } }

    func run(_ arguments: [String], environment: [String: String], folder: String) async throws -> ExitStatus {
        record(.run(arguments))
        return runEnd
    }

    func capture(
        _ arguments: [String], environment: [String: String], folder: String
    ) async throws -> (ExitStatus, [UInt8]) {
        record(.run(arguments))
        return (runEnd, Array(printed.utf8))
    }

    func train(
        _ arguments: [String], environment: [String: String], folder: String, on terminal: Bool
    ) async throws -> ExitStatus {
        record(.train(arguments))
        return await trainingEnd.value
    }

    func followBackground(began: ([String]) -> Void) async -> BackgroundTraining.End { .none }

    func tearDown(_ plan: Teardown, began: () -> Void, note: @escaping Teardown.Note) {
        state.update { state in
            state.calls.append(.tearDown(plan))
            state.note = note
            state.isCalledOff = true
        }
        began()
    }

    func describe(environment: [String: String]) async -> [String] {
        record(.describe)
        return ["pid 1 state S: train"]
    }

    func drain(gracefully: Bool) async -> ContinuousClock.Instant? {
        record(.drain(gracefully: gracefully))
        return gone ? .now : nil
    }

    func killAll() async { record(.killAll) }
}
