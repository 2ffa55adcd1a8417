internal import Glibc
internal import Shared

/// The environments of a volume. They are shared by all runs on it.
struct EnvironmentStore: Sendable {
    let volume: Volume
    let run: RunID

    enum Search: Sendable {
        case found(EnvironmentManifest)
        /// There is no such environment. `reason` is nil if the run never had one.
        case absent(reason: String?)
    }

    private var runFolder: RunFolder { volume.run(run) }
    private func manifestPath(_ key: String) -> String { "\(volume.environments)/\(key).json" }
    func path(_ folder: String) -> String { "\(volume.environments)/\(folder)" }

    /// How many environments stay that no live run uses.
    private static let maxIdle = 5
    /// Seconds since the last heartbeat, after which a run counts as over.
    private static let maxSilence = 3600

    /// Finds a complete and unchanged environment. Marks it as used by this run first, so that no other run removes it.
    /// `previous` is the folder that this run used last.
    func find(
        _ key: EnvironmentKey, for image: ImagePython, editables: [String: String], previous: String?
    ) throws -> Search {
        guard let manifest = try EnvironmentManifest.read(manifestPath(key.name)) else {
            let old = try previous.flatMap { try self.manifest(of: $0) }
            return .absent(reason: old.map { Self.reason(key.changes(since: $0.parts)) })
        }
        let environment = VirtualEnvironment(path: path(manifest.folder), image: image)
        if previous != manifest.folder { try use(manifest.folder) }
        if let change = manifest.change(in: environment, editables: editables) {
            try File.remove(manifestPath(key.name))
            return .absent(reason: change)
        }
        utimes(manifestPath(key.name), nil)
        return .found(manifest)
    }

    private static func reason(_ changes: [EnvironmentKey.Part]) -> String {
        let names = changes.prefix(3).map(\.name).joined(separator: ", ")
        return changes.isEmpty ? "the last one is gone" : names + (changes.count > 3 ? ", … changed" : " changed")
    }

    /// Records the environment that this run uses or builds.
    func use(_ folder: String) throws {
        try File.replace(runFolder.environmentFile, with: Array(folder.utf8))
    }

    /// The name of the environment that this run used last; nil if it has none.
    var usedFolder: String? { (try? File.read(runFolder.environmentFile))?.text.trimmed }

    /// Publishes a complete environment. Returns the manifest of another pod if that pod was faster.
    func publish(_ manifest: EnvironmentManifest, as key: EnvironmentKey) throws -> EnvironmentManifest {
        let path = manifestPath(key.name)
        let bytes = Array(try JSON.encode(manifest))
        let isFirst = try File.createExclusively(path, with: bytes, staging: "\(path).\(manifest.folder)")
        guard !isFirst, let other = try EnvironmentManifest.read(path) else {
            if !isFirst { try File.replace(path, with: bytes) }
            return manifest
        }
        try use(other.folder)
        return other
    }

    /// Records in the environment's manifest that more modules have been imported successfully.
    func update(_ manifest: EnvironmentManifest, of key: EnvironmentKey) throws {
        try File.replace(manifestPath(key.name), with: Array(try JSON.encode(manifest)))
    }

    /// The manifest that a folder's environment has if it is complete. It may be that of another folder with the same
    /// key.
    private func manifest(of folder: String) throws -> EnvironmentManifest? {
        try manifestPath(of: folder).flatMap(EnvironmentManifest.read)
    }

    /// nil unless `folder` begins with a key, as the folders of environments do.
    private func manifestPath(of folder: String) -> String? {
        folder.firstIndex(of: "-").map { manifestPath(String(folder[..<$0])) }
    }
}

// MARK: - Collection

extension EnvironmentStore {
    /// Removes environments that no live run uses: incomplete ones, `previous` if only own content of this run replaced
    /// it, and the oldest ones beyond the newest five.
    func collect(previous: String?, replacedBy key: EnvironmentKey) throws {
        let used = try usedFolders()
        if let previous, !used.contains(previous), let old = try manifest(of: previous), old.folder == previous {
            let changes = key.changes(since: old.parts)
            if !changes.isEmpty, changes.allSatisfy({ $0.isOwn == true }) { try remove(previous) }
        }
        let names = try File.list(volume.environments)
        let complete = try names.filter { $0.hasSuffix(".json") }.compactMap { name -> (folder: String, time: Int)? in
            guard let manifest = try EnvironmentManifest.read(path(name)) else { return nil }
            return (manifest.folder, File.status(path(name))?.modified ?? 0)
        }
        let idle = complete.filter { !used.contains($0.folder) }
        for old in idle.sorted(by: { $0.time > $1.time }).dropFirst(Self.maxIdle) { try remove(old.folder) }
        let kept = used.union(complete.map(\.folder))
        for name in names where !name.hasSuffix(".json") && !kept.contains(name) { try File.removeTree(path(name)) }
    }

    /// The environments of live runs, and of this one.
    private func usedFolders() throws -> Set<String> {
        let others = volume.runs.filter { $0 != run && isLive($0) }
        return Set((others.map { EnvironmentStore(volume: volume, run: $0) } + [self]).compactMap(\.usedFolder))
    }

    private func isLive(_ id: RunID) -> Bool {
        let folder = volume.run(id).attempts
        let beats = ((try? File.list(folder)) ?? []).filter { $0.hasSuffix(".beat") }
        guard let last = beats.last, let status = File.status("\(folder)/\(last)") else { return false }
        return status.modified / 1_000_000_000 > time(nil) - Self.maxSilence
    }

    /// Removes an environment, its manifest first.
    private func remove(_ folder: String) throws {
        if let path = manifestPath(of: folder), try EnvironmentManifest.read(path)?.folder == folder {
            try File.remove(path)
        }
        try File.removeTree(path(folder))
    }
}
