internal import Shared

/// Makes each fixed name lead to a whole checkpoint or to nothing, because a training may open it without asking.
struct FixedNameRepair: Sendable {
    let choice: CheckpointChoice

    private var receipts: Receipts { choice.receipts }
    private typealias Verdict = CheckpointChoice.Verdict

    /// Returns the verdicts on those fixed names that lead to a checkpoint now.
    func repair() throws -> [String: CheckpointChoice.Verdict] {
        let known = try receipts.all()
        let found = try receipts.found().filter(\.hasFixedName)
        var verdicts: [String: Verdict] = [:]
        for name in Set(receipts.folder.names + found.map(\.name)).sorted() {
            if receipts.folder.isLinkToFolder(name) {
                receipts.say(.linkSkipped("\(receipts.folder.path)/\(name)"))
                continue
            }
            let verdict = try found.first { $0.name == name }.map { try choice.verdict(on: $0, known) }
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
            movedTo = try choice.moveToTorn(name, reason)
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
}
