internal import FoundationEssentials
internal import Shared

/// Reads the attempts before a claim, and completes the records that their agents left unfinished.
enum Predecessor {
    /// Completes the records of earlier attempts whose agents died before they could.
    ///
    /// There may be several: the next agent may have died before it came to this.
    static func close(before claim: Claim, in run: RunFolder, spec: RunSpec) throws {
        for number in (1..<claim.number).reversed() {
            try File.remove(run.reservePath(number))
            guard var record = try run.usableRecord(number) else { continue }
            if record.isOver { return }
            let own = try run.usableClaims().first { $0.number == number }
            if record.outcome == nil {
                record.outcome = outcome(of: record, in: own, spec.launch)
            } else if record.outcome?.exit == nil && record.outcome?.message == nil {
                record.outcome?.message = "the agent was gone before the training's end was on record"
            }
            let beat = run.readBeat(number)
            record.lasted(until: beat?.seconds)
            record.step = record.step ?? beat?.step
            if record.state == .training {
                record.checkpoints = try? own.flatMap { Receipts(of: spec, in: run, for: $0) }?.count()
            }
            record.enter(.ended, at: beat?.at ?? claim.claimed)
            try File.replace(run.recordPath(number), with: try JSON.encode(record, pretty: true))
        }
    }

    /// The end of an attempt whose agent recorded none: its pod was taken away, or the agent died.
    private static func outcome(of record: AttemptRecord, in claim: Claim?, _ launch: LaunchOrder) -> Outcome {
        if let claim, launch.continues != nil, launch.supersedes.contains(claim.pod) {
            return Outcome(.interrupted, message: "the provider took the pod away, and the agent had no time to say so")
        }
        return Outcome(.agentCrash, message: "the agent died while it was \(record.state.rawValue)")
    }

    /// Returns the earlier attempts of the claim's launch and of those that it continues, in order. An attempt without
    /// a record counts as `agent-crash`.
    static func attempts(before claim: Claim, of spec: RunSpec, in run: RunFolder) throws -> [AttemptRecord] {
        let claims = try run.usableClaims().filter { spec.launch.covers($0.launch) && $0.number < claim.number }
        return try claims.map { earlier in
            if let record = try run.usableRecord(earlier.number) { return record }
            var record = AttemptRecord(claim: earlier, run: spec.run, spec: "")
            record.outcome = Outcome(.agentCrash)
            return record
        }
    }

    /// Returns the attempt right before `claim` if it is of the same launch and its agent died, else nil.
    static func crash(before claim: Claim, in run: RunFolder) throws -> AttemptRecord? {
        guard claim.number > 1, let record = try run.usableRecord(claim.number - 1) else { return nil }
        return record.launch == claim.launch && record.outcome?.kind == .agentCrash ? record : nil
    }

    /// Returns the price of the claim's pod and for how long it was billed before this attempt: since the end of the
    /// last attempt on the same pod, or else since the pod was bought. Returns nil if the pod has no price.
    static func bill(for claim: Claim, _ order: LaunchOrder, after claims: [Claim], in run: RunFolder) throws -> Bill? {
        guard let price = order.price else { return nil }
        let earlier = claims.filter { $0.number < claim.number && $0.pod == claim.pod && $0.launch == claim.launch }
        var paidUntil = order.bought
        // An attempt without a record has no bill: its time is billed to this attempt.
        for previous in earlier {
            guard let record = try run.usableRecord(previous.number), record.bill != nil else { continue }
            paidUntil = previous.claimed + (record.seconds ?? 0)
        }
        return Bill(price: price, billedBefore: paidUntil.map { max(0, claim.claimed.timeIntervalSince($0)) } ?? 0)
    }
}
