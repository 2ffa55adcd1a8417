internal import Shared

/// What has to hold before a pod may be deleted: that nothing of the run goes with it.
struct SafetyGate: Sendable {
    static let noTime = "there was no time for it"

    static let patience: Duration = .seconds(600)

    let run: RunFolder
    let lineage: String
    /// nil where the run names none.
    let checkpoints: CheckpointFolder?

    /// Returns nil where it lets all pass, else why not. A volume that does not answer within `patience` is left behind, and
    /// so it is once `hurry` is kept: then there is no time left.
    func check(within patience: Duration = Self.patience, hurry: Promise<Void>) async -> String? {
        let result = Promise<String?>()
        Task {
            do {
                try await DedicatedThread.run { try prove() }
                result.keep(nil)
            } catch {
                result.keep("\(error)")
            }
        }
        Task {
            await hurry.value
            result.keep(Self.noTime)
        }
        return await result.value(within: patience) ?? "the volume did not answer within \(Int(patience.inSeconds)) s"
    }

    /// Brings the newest checkpoint to stable storage, all files and folders of it. Blocks as long as its volume does.
    ///
    /// What proves more of a checkpoint than that belongs here.
    private func prove() throws {
        guard let newest = try checkpoints?.newest(in: try Lineage.load(lineage, in: run)) else { return }
        try Self.sync(newest.path)
        var path = newest.path
        repeat {
            try File.syncFolder(of: path)
            path = path.parentFolder
        } while path.hasPrefix(run.path + "/")
    }

    private static func sync(_ path: String) throws {
        guard let status = File.status(path) else { return }
        if status.isFolder {
            for name in try File.list(path) { try sync("\(path)/\(name)") }
        }
        // To open a pipe would wait for whoever reads it.
        if status.isFolder || status.isFile { try File.sync(path) }
    }
}
