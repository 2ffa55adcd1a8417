internal import Shared

/// Remembers which runs are not on the default volume, `$LAUNCH_HOME/volumes/RUN.json`: a pod's record may be deleted.
struct VolumeIndex: Sendable {
    let home: String

    private struct Entry: Codable {
        var volume: String
    }

    private var folder: String { "\(home)/volumes" }

    private func path(of run: RunID) -> String { "\(folder)/\(run).json" }

    /// Folder of the default volume.
    var defaultVolume: String { "\(home)/volume" }

    func remember(_ run: RunID, on volume: String) throws {
        let path = path(of: run)
        if volume == defaultVolume { return try File.remove(path) }
        try File.makeFolders(folder)
        try File.replace(path, with: try JSON.encode(Entry(volume: volume)), isShared: true)
    }

    /// Volumes of the runs that are remembered. An entry that cannot be read is left out.
    var volumes: [RunID: String] {
        let names = (try? File.list(folder)) ?? []
        let runs = names.filter { $0.hasSuffix(".json") }.compactMap { RunID(String($0.dropLast(5))) }
        return Dictionary(
            runs.compactMap { run in
                guard let bytes = try? File.read(path(of: run)) else { return nil }
                return (try? JSON.decode(Entry.self, from: bytes)).map { (run, $0.volume) }
            }, uniquingKeysWith: { first, _ in first })
    }
}
