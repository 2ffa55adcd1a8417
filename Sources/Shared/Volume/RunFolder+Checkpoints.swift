extension RunFolder {
    /// The checkpoints that lie here now, the oldest first. Empty if the run saves none, or there is no such run.
    public func listedCheckpoints() throws -> [ListedCheckpoint] {
        guard let spec = try spec(), let folder = CheckpointFolder(of: spec, in: self) else { return [] }
        return CheckpointFolder.newestFirst(try folder.candidates()).reversed().map { candidate in
            let path = folder.path(of: candidate)
            let files = candidate.files.compactMap { name, status in
                status.isLink
                    ? File.statusOfTarget(name.isEmpty ? path : "\(path)/\(name)").map { (name, $0) } : (name, status)
            }
            return ListedCheckpoint(
                name: candidate.name, step: candidate.step, path: path,
                files: Dictionary(files.filter(\.1.isFile)) { first, _ in first })
        }
    }
}
