internal import Shared

/// Chooses the checkpoint from which a training resumes, and moves damaged ones out of its way.
struct CheckpointChoice: Sendable {
    let receipts: Receipts

    struct Chosen: Sendable {
        var checkpoint: CheckpointReference
        /// It has a receipt, and still matches it.
        var isProven: Bool
    }

    private typealias Candidate = CheckpointFolder.Candidate

    enum Verdict {
        case proven
        /// Its formats find no damage, but nothing shows that its save ended.
        case unproven
        case torn(String)
        case unreadable(String)
    }

    /// The findings of a scan of the checkpoints so far, the newest first.
    private struct Found {
        var proven: Candidate?
        var unproven: [Candidate] = []
        /// Damaged, or not to be loaded.
        var rejected: [(checkpoint: Candidate, reason: String)] = []
        /// Proven, but the training ended before its first step with it.
        var failed: [Candidate] = []
        var unreadable: [Candidate] = []
    }

    /// Returns the newest proven checkpoint of the lineage. If none is proven, returns the newest whose formats find no
    /// damage. Returns nil if there is none.
    ///
    /// A checkpoint with which this launch's last attempts ended before their first step gives way to an older one. An
    /// unproven one of them also gives way to a fresh start.
    ///
    /// Moves to `torn/` each newer checkpoint that is damaged or, beside a proven one, unproven. So a training that
    /// searches for the highest number itself does not find it. Leaves an unreadable one in place. Restores a damaged
    /// fixed name from its newest copy, and a deleted newest one from its spare. Makes pointers name the chosen one.
    /// Blocks, and may hang with the volume.
    func choose() throws -> Chosen? {
        try receipts.renewTimes()
        let fixed = FixedNameRepair(choice: self)
        let fixedVerdicts = try fixed.repair()
        var found = try search(fixedVerdicts)
        if try restoreSpare(after: found) { found = try search(fixedVerdicts) }
        // A checkpoint that was proven just now shows which files the newer ones must have.
        if found.proven != nil, !found.unproven.isEmpty { found = try search(fixedVerdicts) }
        var chosen = found.proven.map { (checkpoint: $0, isProven: true) }
        if chosen != nil {
            found.rejected += found.unproven.map { ($0, "is not known to be complete, and an older one is") }
        } else if let newest = found.unproven.first {
            chosen = (newest, false)
        } else if let failed = found.failed.first {
            // Nothing is left but to try it again: the cause may be another one.
            chosen = (failed, true)
        }
        for (checkpoint, reason) in found.rejected { _ = try moveToTorn(checkpoint, reason) }
        let rejected = Set(found.rejected.map(\.checkpoint.name))
        try repoint(
            to: chosen?.checkpoint, known: (found.unproven + found.unreadable).filter { !rejected.contains($0.name) })
        if let chosen {
            for failed in found.failed where failed.name != chosen.checkpoint.name {
                receipts.say(
                    .gaveWay(receipts.folder.path(of: failed), to: receipts.folder.path(of: chosen.checkpoint)))
            }
        }
        if let chosen, chosen.isProven { keepSpare(of: chosen.checkpoint) }
        return chosen.map { Chosen(checkpoint: receipts.folder.reference(to: $0.checkpoint), isProven: $0.isProven) }
    }

    /// Judges the checkpoints from the newest on, down to the first proven one that the training may be able to load.
    private func search(_ fixedVerdicts: [String: Verdict]) throws -> Found {
        let known = try receipts.all()
        let failures = try LoadFailures(before: receipts.claim, in: receipts.run)
        let history = try receipts.history()
        var found = Found()
        var newer: [Candidate] = []
        for checkpoint in try receipts.checkpoints() {
            let isFollowed =
                !history.distrusted.contains(.laterStep) && newer.contains { Self.began($0, after: checkpoint) }
            newer.append(checkpoint)
            let failure = failures.failure(of: receipts.folder.reference(to: checkpoint))
            switch try fixedVerdicts[checkpoint.name] ?? verdict(on: checkpoint, known, isFollowed: isFollowed) {
            case .proven where failure == nil:
                // One that was proven just now has the attempt and the step of its receipt.
                found.proven = checkpoint
                return found
            case .proven: found.failed.append(checkpoint)
            case .unproven where failure == nil: found.unproven.append(checkpoint)
            case .unproven: found.rejected.append((checkpoint, "is not known to be complete and could not be loaded"))
            case .torn(let reason): found.rejected.append((checkpoint, reason))
            case .unreadable(let reason):
                found.unreadable.append(checkpoint)
                receipts.say(.unreadable(receipts.folder.path(of: checkpoint), reason: reason))
            }
        }
        return found
    }

    /// Whether the save of `newer` began after `checkpoint` had its last file, in the same attempt and under another
    /// number.
    private static func began(_ newer: Candidate, after checkpoint: Candidate) -> Bool {
        guard !newer.hasFixedName, !checkpoint.hasFixedName, newer.attempt == checkpoint.attempt, newer.attempt != 0,
            CheckpointFolder.step(in: newer.name) != CheckpointFolder.step(in: checkpoint.name)
        else { return false }
        return !newer.files.isEmpty && newer.files.values.allSatisfy { $0.modified > checkpoint.modified }
    }

    /// Puts the spare checkpoint back if it is newer than the proven one that was found. Returns whether it did.
    private func restoreSpare(after found: Found) throws -> Bool {
        let spare = Spare(receipts: receipts)
        guard let receipt = try spare.usable() else { return false }
        if let proven = found.proven, !receipt.reference.isNewer(than: receipts.folder.reference(to: proven)) {
            return false
        }
        do {
            try spare.restore(receipt)
            receipts.say(
                .restored(
                    receipts.place(of: receipt), attempt: receipt.saver, step: receipt.stepAtSave.map { Int($0) }))
            return true
        } catch let problem as Problem {
            receipts.say(.notRestored(receipts.place(of: receipt), problem: problem))
            return false
        }
    }

    /// Makes the chosen checkpoint the spare one if there is none: the trainer may delete it before its first save.
    private func keepSpare(of chosen: Candidate) {
        do {
            guard try !File.exists(receipts.run.spare), let receipt = try receipts.all()[chosen.name] else { return }
            try Spare(receipts: receipts).keep(receipt)
        } catch {
            // The training can start without a spare.
            Console.say("could not keep a spare of \(chosen.name): \(error)")
        }
    }

    private func repoint(to chosen: Candidate?, known: [Candidate]) throws {
        let aside = receipts.run.replaced(by: receipts.claim.number)
        try CheckpointPointers(folder: receipts.folder).repoint(to: chosen, known: known) { path, content in
            try receipts.checkOwner()
            try File.makeFolders(aside)
            try File.write(content, over: File.free("\(aside)/\(path.lastComponent)"))
        } report: {
            receipts.say(.repointed($0, from: $1, to: $2))
        }
    }

    /// Moves a checkpoint to `torn/` and writes a line about it. Returns the new path, or nil if it could not be moved.
    func moveToTorn(_ checkpoint: CheckpointFolder.Candidate, _ reason: String) throws -> String? {
        try moveToTorn(checkpoint.name, with: checkpoint.companions, reason)
    }

    func moveToTorn(_ name: String, with companions: [String] = [], _ reason: String) throws -> String? {
        let path = "\(receipts.folder.path)/\(name)"
        do {
            let target = try receipts.moveToTorn(name, with: companions)
            receipts.say(.torn(path, reason: reason, movedTo: target))
            return target
        } catch let problem as Problem {
            receipts.say(.tornInPlace(path, reason: reason, problem: problem))
            return nil
        }
    }

    /// Judges a checkpoint, and writes a receipt if it is proven and had none.
    func verdict(
        on checkpoint: CheckpointFolder.Candidate, _ known: [String: Receipt], isFollowed: Bool = false
    ) throws -> Verdict {
        do {
            if let receipt = known[checkpoint.name] {
                // Until the machine that proved it restarts, names, sizes and times are enough. After that hashes
                // decide.
                let isOtherBoot = receipt.boot != receipts.boot || receipt.boot.isEmpty
                let difference = try receipts.difference(checkpoint, from: receipt, hashing: isOtherBoot)
                guard let difference else { return .proven }
                if try !receipts.isNewSave(checkpoint, after: receipt) { return .torn(difference) }
            }
            let proof = try receipts.examine(checkpoint)
            if let finding = proof.first(.unreadable) { return .unreadable("\(finding)") }
            if let finding = proof.first(.damage) { return .torn("\(finding)") }
            let evidence = receipts.evidence(
                of: checkpoint, like: known.values, openEnded: proof.openEnded, isFollowed: isFollowed)
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
