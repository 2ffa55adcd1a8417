import Shared
import Testing

/// What is true of a volume whatever happened to its run, and what is once the run has ended.
extension TortureTraining {
    /// What a run left behind, for the comparison with what its restart makes of it.
    struct State {
        var log: Log
        var latest: AttemptRecord?
        var starts: Int

        /// Nothing is left to train.
        var isOver: Bool {
            guard let latest, latest.outcome != nil else { return false }
            return latest.state == .finishing || latest.state == .ended
        }
    }

    var state: State {
        get throws { State(log: try log, latest: try latest, starts: starts) }
    }

    /// Brings the run to its end without any fault, and checks that it got there from `before`.
    /// `mayHaveGivenUp`: a fault that was told is an end of its launch, and a new launch goes on.
    /// `losesMemory`: an agent died, and what it had not written yet of the training's output went with it.
    /// `lacksEnd`: it told that the volume did not take the last bytes of the log.
    func recover(
        from before: State, mayHaveGivenUp: Bool, losesMemory: Bool, lacksEnd: Bool = false
    ) async throws {
        let code = try await start().end()
        var gaveUp = false
        if mayHaveGivenUp, let latest = try latest, latest.state == .ended, latest.outcome?.kind != .finished {
            gaveUp = true
            if starts != before.starts && before.isOver { throw TortureFinding("a launch that was over trained again") }
            var next = self
            next.agent.spec.launch = LaunchOrder(id: "launch-2")
            next.agent.pod = "pod-2"
            let code = try await next.start().end()
            if code != 0 { throw TortureFinding("the new launch ended with \(code)") }
        } else if code != 0 {
            throw TortureFinding("the restart ended with \(code), \(String(describing: try latest))")
        }
        try checkFiles()
        try checkEnd()
        // Where it trained again the log has an end again.
        if !lacksEnd || starts != before.starts {
            try checkLog(hasLastStep: !(losesMemory && before.isOver), mayHaveSavedIt: losesMemory)
        }
        let after = try state
        if !after.log.continues(before.log) { throw TortureFinding("the log lost what it had") }
        if before.isOver && !gaveUp && after.starts != before.starts {
            throw TortureFinding("it trained again after a durable end")
        }
        // One for the start itself, one for what the fault ended, one for the new launch.
        if after.starts > before.starts + 1 { throw TortureFinding("it was trained \(after.starts) times") }
        // An end is an end.
        if !gaveUp {
            let again = try await start().end()
            if again != 0 || starts != after.starts { throw TortureFinding("a finished run was run again: \(again)") }
            if try agent.folder.claims().count != attempts { throw TortureFinding("a finished run was claimed again") }
        }
    }

    private var attempts: Int {
        get throws { try latest?.number ?? 0 }
    }

    /// Whatever has its final name is whole.
    func checkFiles() throws {
        let folder = agent.folder
        let claims = try folder.claims()
        let numbers = claims.map(\.number)
        if numbers != Array(1..<numbers.count + 1) { throw TortureFinding("the claims are \(numbers)") }
        for claim in claims { _ = try folder.readRecord(claim.number) }
        _ = try folder.spec()
        for path in try Self.files(in: folder.path) where path.hasSuffix(".json") && !path.contains("/work/") {
            _ = try JSON.decode(AnyJSON.self, from: try File.read(path))
        }
        _ = try log
    }

    private func checkEnd() throws {
        guard let latest = try latest, latest.state == .ended, latest.outcome?.kind == .finished else {
            throw TortureFinding("the last record is \(String(describing: try latest))")
        }
        for claim in try agent.folder.claims() {
            guard let record = try agent.record(claim.number) else { continue }
            if record.state != .ended && record.state != .waiting {
                throw TortureFinding("attempt \(claim.number) is still \(record.state)")
            }
        }
        let weights = try File.read(agent.folder.work + "/made/final/weights")
        if weights != Self.weights { throw TortureFinding("the weights are others") }
        let reserves = try File.list(agent.folder.attempts).filter { $0.hasSuffix(".reserve") }
        if reserves.count > 1 { throw TortureFinding("left behind: \(reserves)") }
    }

    private func checkLog(hasLastStep: Bool, mayHaveSavedIt: Bool) throws {
        let log = try self.log.text
        if !log.hasSuffix("EXIT_CODE=0\n") { throw TortureFinding("the log ends with \(log.suffix(100))") }
        // A training that died after its last checkpoint has nothing to print any more.
        let lines = ["\nstep 30\n"] + (mayHaveSavedIt ? ["\nbegins at step 30\n"] : [])
        if hasLastStep && !lines.contains(where: { log.contains($0) }) {
            throw TortureFinding("the log lacks the last step")
        }
    }

    private static func files(in folder: String) throws -> [String] {
        try File.list(folder).flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            return File.status(path)?.isFolder == true ? try files(in: path) : [path]
        }
    }

    /// Any JSON at all.
    private struct AnyJSON: Decodable {}
}
