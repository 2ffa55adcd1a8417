internal import Shared

/// Deletes old checkpoints if the config sets `checkpoints.keep`.
///
/// A checkpoint is deleted only if it still matches its receipt and belongs to this lineage. The newest proven one
/// stays, and so does one that a `trainer_state.json` calls the best. Fixed names, names such as `checkpoint-40-good`
/// and checkpoints with files that their receipts do not name are neither deleted nor counted.
extension Receipts {
    /// Blocks. Throws if a checkpoint cannot be read; nothing was deleted then.
    func prune() throws {
        guard let keep else { return }
        let checkpoints = try checkpoints()
        let known = try all()
        let proven = try checkpoints.filter { checkpoint in
            // A checkpoint from before the run is the user's.
            guard let receipt = known[checkpoint.name], receipt.saver != 0 else { return false }
            // A file that the receipt does not name may be the user's, and a deletion would take it along.
            return try difference(checkpoint, from: receipt, hashing: false) == nil
                && receipt.addedFile(in: try statuses(of: checkpoint, and: receipt)) == nil
        }
        let best = try best(of: checkpoints, proven: Set(proven.map(\.name)))
        let numbered = proven.filter { !$0.hasFixedName && CheckpointSeries.isPlain($0.name) }
        // The newest proven one stays even if it is not of the series.
        let spared = proven.first?.name
        for checkpoint in numbered.dropFirst(max(1, keep))
        where !best.contains(checkpoint.name.lastComponent) && checkpoint.name != spared {
            try checkOwner()
            say(.pruned(folder.path(of: checkpoint)))
            try delete(checkpoint)
        }
    }

    /// Reports what `prune` will delete, before its first deletion.
    func announcePruning() {
        guard let keep, let form = folder.numbered else { return }
        say(.willPrune(form, keep: max(1, keep)))
    }

    /// Returns the names of the checkpoints that the Trainer of transformers calls its best.
    ///
    /// Asks the newest checkpoints, down to the first proven one that names a best. An older checkpoint often names
    /// itself, because it was the best when it was saved.
    private func best(of checkpoints: [CheckpointFolder.Candidate], proven: Set<String>) throws -> Set<String> {
        var best: Set<String> = []
        for checkpoint in checkpoints where checkpoint.files[TrainerState.name] != nil {
            let path = "\(folder.path(of: checkpoint))/\(TrainerState.name)"
            do {
                guard let found = try TrainerState.best(at: path, among: checkpoints.map(\.name.lastComponent)) else {
                    continue
                }
                best.insert(found)
                if proven.contains(checkpoint.name) { break }
            } catch is Damage {
                throw Problem("\"\(path)\" does not name the best checkpoint")
            }
        }
        return best
    }

    /// Deletes a checkpoint with all its files so that no training sees half of it, not even after a crash.
    private func delete(_ checkpoint: CheckpointFolder.Candidate) throws {
        let path = folder.path(of: checkpoint)
        // The main file first: without it the others are no checkpoint.
        for place in [path] + checkpoint.companions.map({ CheckpointFolder.path(of: "../\($0)", in: path) }) {
            let staging = "\(run.pruned)/\(place.lastComponent)"
            try File.makeFolders(run.pruned)
            try File.removeTree(staging)
            do { try File.move(place, to: staging) } catch {
                // It is on another file system.
                try File.removeTree(place)
            }
        }
        try File.syncFolder(of: path)
        try File.remove(run.receiptPath(of: checkpoint.name))
        try File.removeTree(run.pruned)
    }
}

/// Names of checkpoints that a user or a trainer has singled out.
enum CheckpointSeries {
    private static let marks = [
        "best", "good", "final", "keep", "release", "backup", "copy", "old", "orig", "save", "bak",
    ]

    /// Whether a name only has numbers and the words of a series. `checkpoint-40-good` and `best_3.pt` are no plain
    /// members.
    static func isPlain(_ name: String) -> Bool {
        let words = name.lastComponent.lowercased().split { !$0.isLetter }
        return !words.contains { word in marks.contains { word == $0 } }
    }
}

/// The file in which the Trainer of transformers saves its own state. A loss in it may be `NaN`, which is not JSON.
private enum TrainerState {
    static let name = "trainer_state.json"

    /// Returns the name of the best checkpoint without its folder, or nil if there is none yet. Throws `Damage` if the
    /// file cannot be read so far.
    static func best(at path: String, among names: [String]) throws -> String? {
        var json = JSONReader(try InputFile(path))
        guard try json.next() == .objectBegins else { throw Damage("is not the state of a Trainer") }
        var best: String?
        while let name = try json.nextName() {
            let token = try json.need()
            guard name == "best_model_checkpoint", token == .string else {
                try json.skip(token)
                continue
            }
            best = json.text.withoutSlashes.lastComponent
            // The text lacks escaped characters. That is harmless if they were in the folder, not in the name.
            if !json.isTextExact, !names.contains(where: { $0 == best }) { throw Damage("names no checkpoint") }
        }
        return best
    }
}
