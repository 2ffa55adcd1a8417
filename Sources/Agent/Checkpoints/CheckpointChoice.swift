internal import Shared

/// Chooses the checkpoint from which a training resumes, and moves damaged ones out of its way.
struct CheckpointChoice: Sendable {
    let receipts: Receipts

    struct Chosen: Sendable {
        var checkpoint: CheckpointReference
        /// It has a receipt, and still matches it.
        var isProven: Bool
    }

    private enum Verdict {
        case proven
        /// Its formats find no damage, but nothing shows that its save ended.
        case unproven
        case torn(String)
        case unreadable(String)
    }

    /// Returns the newest proven checkpoint of the lineage. If none is proven, returns the newest whose formats find no
    /// damage. Returns nil if there is none.
    ///
    /// Moves to `torn/` each newer checkpoint that is damaged or, beside a proven one, unproven. So a training that
    /// searches for the highest number itself does not find it. Leaves an unreadable one in place. Restores a damaged
    /// fixed name from its newest copy. Blocks, and may hang with the volume.
    func choose() throws -> Chosen? {
        var known = try receipts.all()
        let fixedVerdicts = try restoreFixedNames(known)
        if !fixedVerdicts.isEmpty { known = try receipts.all() }
        var chosen: Chosen?
        var rejected: [(checkpoint: CheckpointFolder.Candidate, reason: String)] = []
        var unproven: [CheckpointFolder.Candidate] = []
        for checkpoint in try receipts.checkpoints() {
            switch try fixedVerdicts[checkpoint.name] ?? verdict(on: checkpoint, known) {
            case .proven: chosen = Chosen(checkpoint: receipts.folder.reference(to: checkpoint), isProven: true)
            case .unproven: unproven.append(checkpoint)
            case .torn(let reason): rejected.append((checkpoint, reason))
            case .unreadable(let reason):
                receipts.say(.unreadable(receipts.folder.path(of: checkpoint), reason: reason))
            }
            if chosen != nil { break }
        }
        if chosen != nil {
            rejected += unproven.map { ($0, "is not known to be complete, and an older one is") }
        } else if let newest = unproven.first {
            chosen = Chosen(checkpoint: receipts.folder.reference(to: newest), isProven: false)
        }
        for (checkpoint, reason) in rejected { _ = try moveToTorn(checkpoint.name, reason) }
        return chosen
    }

    /// Moves a checkpoint to `torn/` and writes a line about it. Returns the new path, or nil if it could not be moved.
    private func moveToTorn(_ name: String, _ reason: String) throws -> String? {
        let path = "\(receipts.folder.path)/\(name)"
        do {
            let target = try receipts.moveToTorn(name)
            receipts.say(.torn(path, reason: reason, movedTo: target))
            return target
        } catch let problem as Problem {
            receipts.say(.tornInPlace(path, reason: reason, problem: problem))
            return nil
        }
    }

    /// Makes each fixed name lead to a whole checkpoint or to nothing, because a training may open it without asking.
    /// Returns the verdicts on those that exist now.
    private func restoreFixedNames(_ known: [String: Receipt]) throws -> [String: Verdict] {
        guard !receipts.folder.names.isEmpty else { return [:] }
        let found = try receipts.checkpoints().filter { $0.step == nil }
        var verdicts: [String: Verdict] = [:]
        for name in receipts.folder.names {
            if receipts.folder.isLinkToFolder(name) {
                receipts.say(.linkSkipped("\(receipts.folder.path)/\(name)"))
                continue
            }
            let verdict = try found.first { $0.name == name }.map { try self.verdict(on: $0, known) }
            verdicts[name] = try restore(name, after: verdict)
        }
        return verdicts
    }

    /// Puts the newest copy in the place of a fixed name, unless its checkpoint is to stay. `verdict` is nil if the
    /// lineage has no checkpoint there. Returns the verdict on what is in the place then.
    private func restore(_ name: String, after verdict: Verdict?) throws -> Verdict? {
        let copies = KeptCopies(receipts: receipts)
        let place = "\(receipts.folder.path)/\(name)"
        var isTorn = false
        var reason: String?
        switch verdict {
        case .proven, .unreadable: return verdict
        case .torn(let damage): (isTorn, reason) = (true, damage)
        case .unproven: reason = "is not known to be complete, and there is a copy of an older one"
        case nil:
            if File.status(place) != nil { reason = "is not of this lineage, and there is a copy of one that is" }
        }
        let copy = try copies.newestUsable(name)
        // Without a copy only a torn checkpoint has to be moved.
        if copy == nil && !isTorn { return verdict }
        var movedTo: String?
        if let reason {
            movedTo = try moveToTorn(name, reason)
            if movedTo == nil { return verdict }
        }
        guard let copy else { return nil }
        if try restore(copy, from: copies) { return .proven }
        guard let movedTo, case .unproven = verdict else { return nil }
        // The copy could not be restored: an unproven checkpoint is better than none.
        try File.move(movedTo, to: place)
        return verdict
    }

    private func restore(_ copy: KeptCopies.Copy, from copies: KeptCopies) throws -> Bool {
        do {
            let receipt = try copies.restore(copy)
            receipts.say(
                .restored(receipt.path, attempt: receipt.attempt, step: receipt.stepAtSave.map { Int($0) }))
            return true
        } catch let problem as Problem {
            receipts.say(.notRestored("\(receipts.folder.path)/\(copy.receipt.name)", problem: problem))
            return false
        }
    }

    /// Whether a training overwrote every file of a fixed name after `receipt`, so that no file is left of the older
    /// save.
    private func isNewSave(_ checkpoint: CheckpointFolder.Candidate, after receipt: Receipt) -> Bool {
        checkpoint.step == nil
            && receipt.files.allSatisfy { $0.modified != (checkpoint.files[$0.name]?.modified ?? .max) }
    }

    private func verdict(
        on checkpoint: CheckpointFolder.Candidate, _ known: [String: Receipt]
    ) throws -> Verdict {
        do {
            if let receipt = known[checkpoint.name] {
                // Until the machine that proved it restarts, names, sizes and times are enough. After that hashes
                // decide.
                let isOtherBoot = receipt.boot != receipts.boot || receipt.boot.isEmpty
                let difference = try receipts.difference(checkpoint, from: receipt, hashing: isOtherBoot)
                guard let difference else { return .proven }
                if !isNewSave(checkpoint, after: receipt) { return .torn(difference) }
            }
            let proof = try CheckpointProof.examine(receipts.folder.path(of: checkpoint))
            if let finding = proof.first(.unreadable) { return .unreadable("\(finding)") }
            if let finding = proof.first(.damage) { return .torn("\(finding)") }
            let evidence = receipts.evidence(of: checkpoint, like: known.values, openEnded: proof.openEnded)
            guard let evidence else { return .unproven }
            let receipt = try receipts.prove(checkpoint, by: evidence)
            // The checkpoint is proven even if the volume has no room for its receipt.
            do {
                try receipts.write(receipt)
            } catch let problem as Problem {
                receipts.say(.noReceipt(receipt.path, problem: problem))
            }
            return .proven
        } catch let problem as Problem {
            return .unreadable("\(problem)")
        }
    }
}
