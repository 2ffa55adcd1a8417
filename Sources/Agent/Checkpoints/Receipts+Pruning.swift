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
        let best = try Set(checkpoints.compactMap(best))
        let proven = try checkpoints.filter { checkpoint in
            guard checkpoint.step != nil, let receipt = known[checkpoint.name] else { return false }
            return try difference(checkpoint, from: receipt, hashing: false) == nil
        }
        for checkpoint in proven.dropFirst(max(1, keep)) where !best.contains(checkpoint.name) {
            try checkOwner()
            say("PRUNED: \(folder.path(of: checkpoint))")
            try delete(checkpoint)
        }
    }

    /// The name of the checkpoint that a Trainer of transformers held for its best when it saved this one.
    private func best(of checkpoint: CheckpointFolder.Candidate) throws -> String? {
        let name = "trainer_state.json"
        guard checkpoint.files[name] != nil else { return nil }
        let path = "\(folder.path(of: checkpoint))/\(name)"
        do {
            return try JSON.decode(TrainerState.self, from: try File.read(path)).best_model_checkpoint?.withoutSlashes
                .lastComponent
        } catch is DecodingError {
            throw Problem("\"\(path)\" does not tell which checkpoint is the best")
        }
    }

    private struct TrainerState: Decodable {
        // As transformers writes it.
        var best_model_checkpoint: String?
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
        try File.remove(run.receipt(of: checkpoint.name))
        try File.removeTree(run.pruned)
    }
}
