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
    /// for the highest itself does not find it either. What cannot be read stays where it is. In the place of one of a fixed name comes
    /// its newest kept copy. Blocks, and may hang with the volume.
    func choose() throws -> Chosen? {
        var known = try receipts.all()
        let looked = try mendFixedNames(known)
        if !looked.isEmpty { known = try receipts.all() }
        var chosen: Chosen?
        var aside: [(checkpoint: CheckpointFolder.Candidate, reason: String)] = []
        var unproven: [CheckpointFolder.Candidate] = []
        for checkpoint in try receipts.checkpoints() {
            switch try looked[checkpoint.name] ?? verdict(on: checkpoint, known) {
            case .proven: chosen = Chosen(checkpoint: receipts.folder.reference(to: checkpoint), isProven: true)
            case .unproven: unproven.append(checkpoint)
            case .torn(let reason): aside.append((checkpoint, reason))
            case .unread(let reason):
                receipts.say(.unreadable(receipts.folder.path(of: checkpoint), reason: reason))
            }
            if chosen != nil { break }
        }
        if chosen != nil {
            aside += unproven.map { ($0, "is not known to be complete, and an older one is") }
        } else if let newest = unproven.first {
            chosen = Chosen(checkpoint: receipts.folder.reference(to: newest), isProven: false)
        }
        for (checkpoint, reason) in aside { _ = try setAside(checkpoint.name, reason) }
        return chosen
    }

    /// Where it is now; nil where it could not be moved.
    private func setAside(_ name: String, _ reason: String) throws -> String? {
        let path = "\(receipts.folder.path)/\(name)"
        do {
            let target = try receipts.setAside(name)
            receipts.say(.torn(path, reason: reason, movedTo: target))
            return target
        } catch let problem as Problem {
            receipts.say(.tornInPlace(path, reason: reason, problem: problem))
            return nil
        }
    }

    /// A training that looks at a fixed place itself finds a whole checkpoint there, or none, whatever else there is. Returns what is known
    /// of those that are there then.
    private func mendFixedNames(_ known: [String: Receipt]) throws -> [String: Verdict] {
        guard !receipts.folder.names.isEmpty else { return [:] }
        let copies = KeptCopies(receipts: receipts)
        let found = try receipts.checkpoints().filter { $0.step == nil }
        var verdicts: [String: Verdict] = [:]
        for name in receipts.folder.names {
            let place = "\(receipts.folder.path)/\(name)"
            if receipts.folder.isLinkToFolder(name) {
                receipts.say(.linkSkipped(place))
                continue
            }
            let checkpoint = found.first { $0.name == name }
            let verdict = try checkpoint.map { try self.verdict(on: $0, known) }
            verdicts[name] = verdict
            var reason: String?
            switch verdict {
            case .proven, .unread: continue
            case .torn(let damage): reason = damage
            case .unproven: reason = "is not known to be complete, and there is a copy of an older one"
            case nil:
                reason = File.status(place).map { _ in "is not of this lineage, and there is a copy of one that is" }
            }
            let copy = try copies.usable(name)
            // A torn one is moved all the same.
            if copy == nil { guard case .torn = verdict else { continue } }
            var aside: String?
            if let reason {
                aside = try setAside(name, reason)
                if aside == nil { continue }
                verdicts[name] = nil
            }
            guard let copy else { continue }
            if try putBack(copy, by: copies) {
                verdicts[name] = .proven
            } else if let aside, case .unproven = verdict {
                // Better than nothing.
                try File.move(aside, to: place)
                verdicts[name] = verdict
            }
        }
        return verdicts
    }

    private func putBack(_ copy: KeptCopies.Copy, by copies: KeptCopies) throws -> Bool {
        do {
            let receipt = try copies.putBack(copy)
            receipts.say(
                .restored(receipt.path, attempt: receipt.attempt, step: receipt.stepAtSave.map { Int($0) }))
            return true
        } catch let problem as Problem {
            receipts.say(.notRestored("\(receipts.folder.path)/\(copy.receipt.name)", problem: problem))
            return false
        }
    }

    /// A training has saved over it since, and no file of the older save is left, so that it is no mixture of two.
    private func isNewSave(_ checkpoint: CheckpointFolder.Candidate, after receipt: Receipt) -> Bool {
        checkpoint.step == nil
            && receipt.files.allSatisfy { $0.modified != (checkpoint.files[$0.name]?.modified ?? .max) }
    }

    private func verdict(
        on checkpoint: CheckpointFolder.Candidate, _ known: [String: Receipt]
    ) throws -> Verdict {
        do {
            if let receipt = known[checkpoint.name] {
                let isOther = receipt.boot != receipts.boot || receipt.boot.isEmpty
                let difference = try receipts.difference(checkpoint, from: receipt, hashing: isOther)
                guard let difference else { return .proven }
                if !isNewSave(checkpoint, after: receipt) { return .torn(difference) }
            }
            let proof = try CheckpointProof.examine(receipts.folder.path(of: checkpoint))
            if let unread = proof.findings.first(where: { $0.weight == .unread }) { return .unread("\(unread)") }
            if let damage = proof.findings.first(where: { $0.weight == .damage }) { return .torn("\(damage)") }
            let evidence = receipts.evidence(of: checkpoint, like: known.values, openEnded: proof.openEnded)
            guard let evidence else { return .unproven }
            let receipt = try receipts.prove(checkpoint, by: evidence)
            // It is what it is, whether or not there is room to write that down.
            do {
                try receipts.write(receipt)
            } catch let problem as Problem {
                receipts.say(.noReceipt(receipt.path, problem: problem))
            }
            return .proven
        } catch let problem as Problem {
            return .unread("\(problem)")
        }
    }
}
