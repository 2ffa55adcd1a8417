extension RunFolder {
    /// The checkpoints that lie here now, the oldest first. Empty if the run saves none, or there is no such run.
    public func listedCheckpoints() throws -> [ListedCheckpoint] {
        guard let spec = try spec(), let folder = CheckpointFolder(of: spec, in: self) else { return [] }
        let receipts = Dictionary(try allReceipts().map { ($0.name, $0) }) { first, _ in first }
        // Without a history the last attempt likely saved all that has no receipt.
        let history = try SaveHistory.load(self) ?? SaveHistory(attempt: claimNumbers().last ?? 0)
        let candidates = try folder.candidates().map { candidate in
            var candidate = candidate
            let receipt = receipts[candidate.name].flatMap { $0.changedTime(in: candidate.files) == nil ? $0 : nil }
            candidate.attempt = receipt?.saver ?? history.attempt(of: candidate)
            candidate.saved = receipt?.reference.modified
            return candidate
        }
        return CheckpointFolder.newestFirst(candidates).reversed().map { candidate in
            let path = folder.path(of: candidate)
            let files = candidate.files.compactMap { name, status in
                status.isLink
                    ? File.statusOfTarget(CheckpointFolder.path(of: name, in: path)).map { (name, $0) } : (name, status)
            }
            return ListedCheckpoint(
                name: candidate.name, step: candidate.step, path: path,
                files: Dictionary(files.filter(\.1.isFile)) { first, _ in first })
        }
    }
}
