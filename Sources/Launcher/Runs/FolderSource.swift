internal import Shared

/// Runs on a volume that is a folder of this machine.
struct FolderSource: RunSource {
    let volume: Volume

    var original: Volume { volume }
    var place: String { volume.root }

    func folder(of run: RunID, with parts: Set<RunPart>) async throws -> RunFolder { volume.run(run) }

    func checkpoints(of run: RunID) async throws -> [ListedCheckpoint] { try volume.run(run).listedCheckpoints() }
}
