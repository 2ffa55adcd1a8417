internal import Glibc
internal import Shared

/// The packs of code on a volume. A pack is of no use once it is in the work tree of each run that names it.
struct CodePacks: Sendable {
    private let volume: Volume
    private let run: RunID
    /// The pack that is in the run's work tree now.
    private let previous: String?
    /// When that pack was in place, in nanoseconds since 1970.
    private let synced: Int

    /// Seconds. A younger pack may be that of a run whose agent has not started yet.
    private static let minAge = 24 * 3600

    /// Make it before a sync.
    init(volume: Volume, run: RunID) throws {
        self.volume = volume
        self.run = run
        let folder = volume.run(run)
        previous = try CodeManifest.read(of: folder)?.sha256
        synced = File.status(folder.codeManifest)?.modified ?? 0
    }

    /// Removes the pack that the run had before `code`, and old packs that no run names.
    func collect(except code: PackedCode) throws {
        if previous == code.sha256 { return }
        let named = Set(volume.runs.filter { $0 != run }.compactMap { try? volume.run($0).spec()?.code?.sha256 })
        let folder = volume.pack(code).parentFolder
        for name in try File.list(folder) where name.hasSuffix(".tar") {
            let sha256 = String(name.dropLast(4))
            guard sha256 != code.sha256, !named.contains(sha256),
                let modified = File.status("\(folder)/\(name)")?.modified
            else { continue }
            // Since `synced`, launch may have given the same pack to another run. It renews the time then.
            let isOwn = sha256 == previous && modified < synced
            if isOwn || modified / 1_000_000_000 < time(nil) - Self.minAge { try File.remove("\(folder)/\(name)") }
        }
    }
}
