internal import FoundationEssentials
internal import Shared

/// The attempts before this one, as far as they concern it.
enum Predecessor {
    /// Writes down the end of the attempts before `claim` that had none: their agents died, and cannot.
    /// More than one where the next agent died before it came to that.
    static func close(before claim: Claim, in run: RunFolder, spec: RunSpec) throws {
        for number in (1..<claim.number).reversed() {
            try File.remove(run.reserve(of: number))
            guard var record = try run.attempt(number) else { continue }
            if record.state == .ended || record.state == .waiting { return }
            if record.outcome == nil {
                record.outcome = Outcome(
                    .agentCrash, message: "the agent died while it was \(record.state.rawValue)")
            } else if record.outcome?.exit == nil && record.outcome?.message == nil {
                record.outcome?.message = "the agent was gone before the training's end was on record"
            }
            let beat = try self.beat(of: number, in: run)
            record.seconds = record.seconds ?? beat?.seconds
            record.step = record.step ?? beat?.step
            if record.state == .training, let folder = CheckpointFolder(of: spec, in: run) {
                record.checkpoints = try? folder.count(in: try Lineage.load(record.lineage, in: run))
            }
            record.enter(.ended, at: beat?.at ?? claim.claimed)
            try File.replace(run.record(of: number), with: try JSON.encode(record, pretty: true))
        }
    }

    /// The attempts before `claim` of its launch, in order. One whose agent died before it wrote a record is among them.
    static func attempts(before claim: Claim, of id: RunID, in run: RunFolder) throws -> [AttemptRecord] {
        try run.claims().filter { $0.launch == claim.launch && $0.number < claim.number }.map { earlier in
            if let record = try run.attempt(earlier.number) { return record }
            var record = AttemptRecord(claim: earlier, run: id, spec: "")
            record.outcome = Outcome(.agentCrash)
            return record
        }
    }

    /// How long all attempts before `claim` lasted together; of one whose agent died until its last beat.
    static func seconds(before claim: Claim, _ claims: [Claim], in run: RunFolder) throws -> Double {
        try claims.filter { $0.number < claim.number }.reduce(0.0) { sum, earlier in
            let recorded = try run.attempt(earlier.number)?.seconds
            return sum + (try recorded ?? beat(of: earlier.number, in: run)?.seconds ?? 0)
        }
    }

    /// nil where there is none, or one that a full volume cut off.
    private static func beat(of attempt: Int, in run: RunFolder) throws -> Beat? {
        guard let bytes = try? File.read(run.beat(attempt)) else { return nil }
        return try? JSON.decode(Beat.self, from: bytes)
    }
}
