internal import Shared

/// Runs on a volume that is read through the API of an agent, into a cache of the same layout.
///
/// The cache belongs to this machine, and several commands may fill it at once. Nothing that comes over the wire decides
/// where a file of it lies: names are checked, and one that has an unexpected form is refused.
struct AgentSource: RunSource {
    let original: Volume
    let place: String
    /// The cached run is `runs/RUN` in this folder.
    let cache: Volume
    /// Finds a program that serves the volume at this moment; nil if there is no such volume yet.
    let connect: @Sendable () async throws -> AgentClient?

    /// Time without a new byte of the log after which reading fails.
    var timeout: Duration = .seconds(30)

    func folder(of run: RunID, with parts: Set<RunPart>) async throws -> RunFolder {
        let folder = cache.run(run)
        try await retrying { progress in
            guard let agent = try await connect() else { return try File.removeTree(folder.path) }
            try await fill(folder, with: parts, from: RemoteFiles(agent: agent, folder: "runs/\(run)", progress))
        }
        return folder
    }

    func checkpoints(of run: RunID) async throws -> [ListedCheckpoint] {
        try await retrying { _ in try await connect()?.checkpoints(of: run) ?? [] }
    }

    private func fill(_ folder: RunFolder, with parts: Set<RunPart>, from files: RemoteFiles) async throws {
        let records = CachedRecords(files: files, folder: folder)
        do {
            guard try await records.refresh() else { return try File.removeTree(folder.path) }
        } catch is CachedRecords.OtherRun {
            // The run was deleted and begun anew.
            try File.removeTree(folder.path)
            _ = try await records.refresh()
        }
        if parts.contains(.receipts) { try await records.refreshReceipts() }
        let log = CachedLog(files: files, folder: folder)
        if let first = parts.compactMap(\.logStart).min() {
            try await log.refresh(from: first)
        } else if parts.contains(.logEnd) {
            try await log.refreshEnd()
        }
    }

    private func retrying<Value>(_ body: (ReadProgress) async throws -> Value) async throws -> Value {
        let progress = ReadProgress()
        var pause = Duration.milliseconds(10)
        while true {
            do {
                return try await body(progress)
            } catch {
                guard Self.mayPass(error), progress.silence < timeout else { throw error }
                try await Task.sleep(for: pause)
                pause = min(pause * 2, .milliseconds(500))
            }
        }
    }

    /// Files are sealed and removed after their folder was listed, connections are cut, and agents end.
    private static func mayPass(_ error: any Error) -> Bool {
        if let error = error as? APIError, [.notFound, .rangeNotSatisfiable].contains(error.code) { return true }
        return AgentClient.isPassing(error)
    }
}

extension RunPart {
    fileprivate var logStart: Int? {
        if case .log(let from) = self { from } else { nil }
    }
}
