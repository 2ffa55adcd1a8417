internal import Shared

/// A series of attempts that resume from each other's checkpoints.
///
/// A forced launch begins a new lineage. Checkpoints that it finds stay in place and are noted here. So its later
/// attempts can distinguish them from their own without trusting a clock.
struct Lineage: Sendable, Codable, Equatable {
    /// The checkpoints found when the lineage began: by name, the state of each file.
    private var checkpoints: [String: [String: FileStatus]]

    /// The first lineage of a run: no checkpoint is older.
    static let first = Lineage(checkpoints: [:])

    /// Notes the checkpoints that exist now. May be repeated until the claim of the lineage's first attempt exists.
    static func begin(_ id: String, in run: RunFolder, spec: RunSpec) throws {
        let found = try CheckpointFolder(of: spec, in: run)?.candidates() ?? []
        let lineage = Lineage(checkpoints: Dictionary(found.map { ($0.name, $0.files) }) { first, _ in first })
        let path = run.lineagePath(id)
        try File.makeFolders(path.parentFolder)
        try File.replace(path, with: try JSON.encode(lineage))
    }

    static func load(_ id: String, in run: RunFolder) throws -> Lineage {
        let path = run.lineagePath(id)
        return try File.exists(path)
            ? try JSON.decode(Lineage.self, from: try File.readRegular(path, limit: RunFolder.largeFile)) : first
    }

    /// Whether any file of `candidate` is unchanged since the lineage began, so that this lineage did not save all of
    /// it.
    func inherited(_ candidate: CheckpointFolder.Candidate) -> Bool {
        guard let files = checkpoints[candidate.name] else { return false }
        return candidate.files.contains { files[$0.key] == $0.value }
    }
}
