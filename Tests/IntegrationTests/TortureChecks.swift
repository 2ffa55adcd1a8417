import Shared
import Testing

/// The checks of a volume: those that hold at any time, and those that hold once the run has ended.
extension TortureTraining {
    /// The state that a run left behind, to be compared with the state after its restart.
    struct State {
        var log: Log
        var latest: AttemptRecord?
        var starts: Int

        /// Whether nothing is left to train.
        var isOver: Bool {
            guard let latest, latest.outcome != nil else { return false }
            return latest.state == .finishing || latest.state == .ended
        }
    }

    var state: State {
        get throws { State(log: try log, latest: try latest, starts: starts) }
    }

    /// Restarts the run without a fault until it ends, and checks that its end continues `before`.
    ///
    /// - Parameters:
    ///   - mayHaveGivenUp: The launch may have ended because of a reported fault. A new launch then continues the run.
    ///   - losesMemory: An agent died, so output that it had not written yet may be lost.
    ///   - lacksEnd: The agent reported that the volume refused the last bytes of the log.
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
        // If it trained again, the log has an end again.
        if !lacksEnd || starts != before.starts {
            try checkLog(hasLastStep: !(losesMemory && before.isOver), mayHaveSavedIt: losesMemory)
        }
        let after = try state
        if !after.log.continues(before.log) { throw TortureFinding("the log lost what it had") }
        if before.isOver && !gaveUp && after.starts != before.starts {
            throw TortureFinding("it trained again after a durable end")
        }
        // At most one more training: that of the restart or that of the new launch.
        if after.starts > before.starts + 1 { throw TortureFinding("it was trained \(after.starts) times") }
        // A finished run stays finished.
        if !gaveUp {
            let again = try await start().end()
            if again != 0 || starts != after.starts { throw TortureFinding("a finished run was run again: \(again)") }
            if try agent.folder.claims().count != attempts { throw TortureFinding("a finished run was claimed again") }
        }
    }

    private var attempts: Int {
        get throws { try latest?.number ?? 0 }
    }

    /// Checks that each file with its final name is whole.
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
        if weights != Self.weights { throw TortureFinding("the weights differ") }
        let reserves = try File.list(agent.folder.attempts).filter { $0.hasSuffix(".reserve") }
        if reserves.count > 1 { throw TortureFinding("left behind: \(reserves)") }
    }

    private func checkLog(hasLastStep: Bool, mayHaveSavedIt: Bool) throws {
        let log = try self.log.text
        if !log.hasSuffix("EXIT_CODE=0\n") { throw TortureFinding("the log ends with \(log.suffix(100))") }
        // A training that resumes from its last checkpoint prints no step.
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

    /// Decodes any JSON.
    private struct AnyJSON: Decodable {}
}
