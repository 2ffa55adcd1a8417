internal import FoundationEssentials
internal import Shared

/// The attempts before this one, as far as they concern it.
enum Predecessor {
    /// Writes down the end of the attempts before `claim` that had none: their agents died, and cannot.
    /// More than one where the next agent died before it came to that.
    static func close(before claim: Claim, in run: RunFolder, spec: RunSpec) throws {
        for number in (1..<claim.number).reversed() {
            try File.remove(run.reservePath(number))
            guard var record = try run.readRecord(number) else { continue }
            if record.isOver { return }
            if record.outcome == nil {
                record.outcome = Outcome(
                    .agentCrash, message: "the agent died while it was \(record.state.rawValue)")
            } else if record.outcome?.exit == nil && record.outcome?.message == nil {
                record.outcome?.message = "the agent was gone before the training's end was on record"
            }
            let beat = run.readBeat(number)
            record.lasted(until: beat?.seconds)
            record.step = record.step ?? beat?.step
            if record.state == .training {
                let own = try run.claims().first { $0.number == number }
                record.checkpoints = try? own.flatMap { Receipts(of: spec, in: run, for: $0) }?.count()
            }
            record.enter(.ended, at: beat?.at ?? claim.claimed)
            try File.replace(run.recordPath(number), with: try JSON.encode(record, pretty: true))
        }
    }

    /// The attempts before `claim` of its launch, in order. One whose agent died before it wrote a record is among them.
    static func attempts(before claim: Claim, of id: RunID, in run: RunFolder) throws -> [AttemptRecord] {
        try run.claims().filter { $0.launch == claim.launch && $0.number < claim.number }.map { earlier in
            if let record = try run.readRecord(earlier.number) { return record }
            var record = AttemptRecord(claim: earlier, run: id, spec: "")
            record.outcome = Outcome(.agentCrash)
            return record
        }
    }

    /// The attempt right before `claim`, where it is of the same launch and its agent died.
    static func crash(before claim: Claim, in run: RunFolder) throws -> AttemptRecord? {
        guard claim.number > 1, let record = try run.readRecord(claim.number - 1) else { return nil }
        return record.launch == claim.launch && record.outcome?.kind == .agentCrash ? record : nil
    }

    /// What the pod of `claim` costs, and for how long it did before: since the attempt before it on the same pod, or since it was
    /// bought. nil where the pod has no price.
    static func bill(for claim: Claim, _ order: LaunchOrder, after claims: [Claim], in run: RunFolder) throws -> Bill? {
        guard let price = order.price else { return nil }
        let earlier = claims.filter { $0.number < claim.number && $0.pod == claim.pod && $0.launch == claim.launch }
        var paidUntil = order.bought
        // An attempt without a record has no bill, so that its time is this one's.
        for previous in earlier {
            guard let record = try run.readRecord(previous.number), record.bill != nil else { continue }
            paidUntil = previous.claimed + (record.seconds ?? 0)
        }
        return Bill(price: price, billedBefore: paidUntil.map { max(0, claim.claimed.timeIntervalSince($0)) } ?? 0)
    }
}
