import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

/// A fault at a system call, with the checks of the run that meets it and of its restart.
struct TorturePoint: Sendable, CustomStringConvertible {
    var call: TortureCall
    var fault: TortureFault
    /// Whether the call is one of a second attempt, after a first one that died.
    var isSecond = false
    /// Bytes of sealed log that the agent keeps.
    var keep = 1 << 20

    var description: String { "\(fault) at \(call)\(isSecond ? " of a second attempt" : "")" }

    /// An agent whose volume refuses its records tries for 30 s, and again for 30 s.
    private static let timeout: Duration = .seconds(100)

    /// Returns false if the run did not make that call this time.
    func torture() async throws -> Bool {
        let wasMet = Mutex(false)
        var finding: (any Error)?
        try await Site.with { site in
            do {
                let training = try TortureTraining(at: site, keep: keep)
                if isSecond { try await training.dieInTraining() }
                let isMet = try await torture(training)
                wasMet.withLock { $0 = isMet }
            } catch {
                finding = error
            }
        }
        if let finding { throw finding }
        return wasMet.withLock(\.self)
    }

    private func torture(_ training: TortureTraining) async throws -> Bool {
        let output = "\(training.site.root)/trace"
        let tracer = call.tracer(fault, volume: training.agent.spec.volume, output: output)
        let starts = training.starts
        let run = try training.start(under: tracer)
        let code = try await run.end(within: Self.timeout)
        _ = await training.site.killAll()
        let trace = try File.read(output).text
        let isMet =
            switch fault {
            case .kill: code == 128 + SIGKILL
            case .error: trace.contains("(INJECTED)")
            case .delay: trace.contains("(DELAYED)")
            }
        if try File.exists(training.agent.folder.path) { try training.checkFiles() }
        let before = try training.state
        if fault != .kill { try check(code, before, run, hasTrained: before.starts > starts) }
        try await training.recover(
            from: before, mayHaveGivenUp: fault.isError, losesMemory: fault == .kill || fault.lasts || isSecond,
            lacksEnd: run.errors.contains("did not store the last"))
        return isMet
    }

    /// Checks the exit code and the errors of a run whose agent was not killed.
    private func check(_ code: Int32, _ state: TortureTraining.State, _ run: Running, hasTrained: Bool) throws {
        if code > 128 { throw TortureFinding("the agent died: \(code)") }
        let isFinished = state.latest?.state == .ended && state.latest?.outcome?.kind == .finished
        if !fault.isError && (code != 0 || !isFinished) {
            throw TortureFinding("with a call that was late it ended with \(code), \(String(describing: state.latest))")
        }
        if code == 0 && !isFinished && !run.errors.contains("did not store the record of the end") {
            throw TortureFinding("exit code 0, and it did not finish")
        }
        if code != 0 && run.errors.isEmpty && !state.log.text.contains("SETUP-FAILED") {
            throw TortureFinding("exit code \(code), and no word why")
        }
        if code != 0 && hasTrained { throw TortureFinding("the training ended well, and the pod with \(code)") }
    }
}
