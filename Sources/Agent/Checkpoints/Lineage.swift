internal import Shared

/// A line of attempts that continue each other's checkpoints.
///
/// A forced launch begins a new one. What it finds in the checkpoint folder stays there and is noted,
/// so that its own later attempts tell the old checkpoints from theirs, without trusting any clock.
struct Lineage: Sendable, Codable, Equatable {
    /// By name, each file of it as it was found.
    private var checkpoints: [String: [String: FileStatus]]

    /// The first lineage of a run finds nothing.
    static let first = Lineage(checkpoints: [:])

    /// Notes what is there now. May be done again until the claim of the lineage's first attempt exists.
    static func begin(_ id: String, in run: RunFolder, spec: RunSpec) throws {
        let found = try CheckpointFolder(of: spec, in: run)?.candidates() ?? []
        let lineage = Lineage(checkpoints: Dictionary(found.map { ($0.name, $0.files) }) { first, _ in first })
        let path = run.lineagePath(id)
        try File.makeFolders(path.parentFolder)
        try File.replace(path, with: try JSON.encode(lineage))
    }

    static func load(_ id: String, in run: RunFolder) throws -> Lineage {
        let path = run.lineagePath(id)
        return try File.isThere(path) ? try JSON.decode(Lineage.self, from: try File.read(path)) : first
    }

    /// Whether any file of `candidate` is still as it was when the lineage began: then this lineage did not save it, or not all of it.
    func found(_ candidate: CheckpointFolder.Candidate) -> Bool {
        guard let files = checkpoints[candidate.name] else { return false }
        return candidate.files.contains { files[$0.key] == $0.value }
    }
}
