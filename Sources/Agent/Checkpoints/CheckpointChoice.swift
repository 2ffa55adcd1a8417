internal import Shared

/// Which checkpoint a training goes on from, and what has to get out of its way before.
struct CheckpointChoice: Sendable {
    let receipts: Receipts

    struct Chosen: Sendable {
        var checkpoint: CheckpointReference
        /// It has a receipt, and is what that says.
        var isProven: Bool
    }

    private enum Verdict {
        case proven
        /// Nothing contradicts that it is whole, and nothing tells that its save ended.
        case unproven
        case torn(String)
        case unread(String)
    }

    /// The newest proven checkpoint of the lineage; without one the newest that its formats do not contradict. nil: there is none.
    ///
    /// What failed, and what nothing is known of but that it is newer than a proven one, is moved to `torn/`, so that a training which looks
    /// for the highest itself does not find it either. What cannot be read stays where it is. Blocks, and may hang with the volume.
    func choose() throws -> Chosen? {
        let known = try receipts.all()
        var chosen: Chosen?
        var aside: [(checkpoint: CheckpointFolder.Candidate, reason: String)] = []
        var unproven: [CheckpointFolder.Candidate] = []
        for checkpoint in try receipts.checkpoints() {
            switch try verdict(on: checkpoint, known) {
            case .proven: chosen = Chosen(checkpoint: receipts.folder.reference(to: checkpoint), isProven: true)
            case .unproven: unproven.append(checkpoint)
            case .torn(let reason): aside.append((checkpoint, reason))
            case .unread(let reason):
                receipts.say("UNREAD: \(receipts.folder.path(of: checkpoint)): \(reason); left there")
            }
            if chosen != nil { break }
        }
        if chosen != nil {
            aside += unproven.map { ($0, "is not known to be complete, and an older one is") }
        } else if let newest = unproven.first {
            chosen = Chosen(checkpoint: receipts.folder.reference(to: newest), isProven: false)
        }
        for (checkpoint, reason) in aside {
            let what = "TORN: \(receipts.folder.path(of: checkpoint)): \(reason)"
            do {
                receipts.say("\(what); moved to \(try receipts.setAside(checkpoint))")
            } catch let problem as Problem {
                receipts.say("\(what); \(problem)")
            }
        }
        return chosen
    }

    private func verdict(
        on checkpoint: CheckpointFolder.Candidate, _ known: [String: Receipt]
    ) throws -> Verdict {
        do {
            if let receipt = known[checkpoint.name] {
                let isOther = receipt.boot != receipts.boot || receipt.boot.isEmpty
                let difference = try receipts.difference(checkpoint, from: receipt, hashing: isOther)
                return difference.map(Verdict.torn) ?? .proven
            }
            let proof = try CheckpointProof.examine(receipts.folder.path(of: checkpoint))
            if let unread = proof.findings.first(where: { $0.weight == .unread }) { return .unread("\(unread)") }
            if let damage = proof.findings.first(where: { $0.weight == .damage }) { return .torn("\(damage)") }
            guard receipts.hasAllFiles(checkpoint, like: known.values, openEnded: proof.openEnded) else {
                return .unproven
            }
            let receipt = try receipts.prove(checkpoint, by: .sameFiles)
            // It is what it is, whether or not there is room to write that down.
            do { try receipts.write(receipt) } catch let problem as Problem { receipts.say("RECEIPT: \(problem)") }
            return .proven
        } catch let problem as Problem {
            return .unread("\(problem)")
        }
    }
}
