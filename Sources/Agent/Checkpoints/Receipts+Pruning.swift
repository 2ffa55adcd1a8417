internal import Shared

/// Deletes old checkpoints, where the config names a number to keep.
///
/// Only what has a receipt and is what that says goes: never the newest proven one, none without a receipt, none that a
/// `trainer_state.json` calls the best, none of another lineage. Those of fixed names neither go nor count.
extension Receipts {
    /// Blocks. Throws where the system does not tell what is there, and then nothing was deleted.
    func prune() throws {
        guard let keep else { return }
        let checkpoints = try checkpoints()
        let known = try all()
        let proven = try checkpoints.filter { checkpoint in
            guard let receipt = known[checkpoint.name] else { return false }
            return try difference(checkpoint, from: receipt, hashing: false) == nil
        }
        let best = try best(of: checkpoints, proven: Set(proven.map(\.name)))
        let numbered = proven.filter { $0.step != nil }
        for checkpoint in numbered.dropFirst(max(1, keep)) where !best.contains(checkpoint.name) {
            try checkOwner()
            say(.pruned(folder.path(of: checkpoint)))
            try delete(checkpoint)
        }
    }

    /// The names of those that a Trainer of transformers holds for its best: what the newest proven one that tells says, and those after
    /// it, which may be what the training goes on from. An older one was often the best when it was saved, and says so for ever.
    private func best(of checkpoints: [CheckpointFolder.Candidate], proven: Set<String>) throws -> Set<String> {
        var best: Set<String> = []
        for checkpoint in checkpoints where checkpoint.files[TrainerState.name] != nil {
            let path = "\(folder.path(of: checkpoint))/\(TrainerState.name)"
            do {
                guard let found = try TrainerState.best(at: path, among: checkpoints.map(\.name)) else { continue }
                best.insert(found)
                if proven.contains(checkpoint.name) { break }
            } catch is Damage {
                throw Problem("\"\(path)\" does not tell which checkpoint is the best")
            }
        }
        return best
    }

    /// Nobody sees a half of it, not even after a crash.
    private func delete(_ checkpoint: CheckpointFolder.Candidate) throws {
        let path = folder.path(of: checkpoint)
        try File.makeFolders(run.pruned)
        let aside = "\(run.pruned)/\(checkpoint.name)"
        try File.removeTree(aside)
        do { try File.move(path, to: aside) } catch {
            // On another file system.
            try File.removeTree(path)
        }
        try File.syncFolder(of: path)
        try File.remove(run.receiptPath(of: checkpoint.name))
        try File.removeTree(run.pruned)
    }
}

/// What a Trainer of transformers saves of itself. A loss in it may be none of JSON's numbers.
private enum TrainerState {
    static let name = "trainer_state.json"

    /// The name of the best checkpoint, whatever folder it was in then; nil where there is none yet. Throws `Damage` where it does not tell.
    static func best(at path: String, among names: [String]) throws -> String? {
        var json = JSONReader(try InputFile(path))
        guard try json.next() == .objectBegins else { throw Damage("is no state of a Trainer") }
        var best: String?
        while let name = try json.nextName() {
            let token = try json.need()
            guard name == "best_model_checkpoint", token == .string else {
                try json.skip(token)
                continue
            }
            best = json.text.withoutSlashes.lastComponent
            // What was written with escapes, before the last slash or in the name.
            if !json.isTextExact, !names.contains(where: { $0 == best }) { throw Damage("names no checkpoint") }
        }
        return best
    }
}
