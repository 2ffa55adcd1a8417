internal import RunPod
internal import Shared

/// Remembers runs whose pods may be gone, `$LAUNCH_HOME/runpod/RUN.json`: where they are, and their last pod.
struct RunPodIndex: Sendable {
    let home: String

    struct Entry: Codable {
        /// nil: the pod's own disk.
        var volume: String?
        var mount: String
        /// The pod's id, and the launch that it was last started for.
        var pod: String?
        var launch: String?
        /// The image of the last pod.
        var image: String?
        /// The create that made the pod, so that it can be bought again once RunPod has forgotten it. Its variables may
        /// be secret.
        var creation: PodCreation?

        var place: PodPlace {
            volume.map { .network(id: $0, mount: mount) } ?? .ownDisk(mount: mount)
        }
    }

    private var folder: String { "\(home)/runpod" }

    func remember(_ run: RunID, at place: PodPlace) throws {
        var entry = read(run) ?? Entry(mount: place.mount)
        entry.mount = place.mount
        if case .network(let id, _) = place { entry.volume = id } else { entry.volume = nil }
        try write(entry, of: run)
    }

    func remember(_ pod: Pod, _ creation: PodCreation?) throws {
        var entry = Entry(mount: pod.place.mount, pod: pod.id, launch: pod.launch, creation: creation)
        if case .network(let id, _) = pod.place { entry.volume = id }
        entry.image = creation?.image ?? read(pod.run)?.image
        try write(entry, of: pod.run)
    }

    /// Keeps the place of the run, and nothing of `pod`.
    func forget(_ pod: Pod) throws {
        guard var entry = read(pod.run), entry.pod == pod.id else { return }
        (entry.pod, entry.launch, entry.creation) = (nil, nil, nil)
        try write(entry, of: pod.run)
    }

    private func write(_ entry: Entry, of run: RunID) throws {
        try File.makeFolders(folder)
        try File.replace("\(folder)/\(run).json", with: try JSON.encode(entry), mode: 0o600, isShared: true)
    }

    private func read(_ run: RunID) -> Entry? {
        guard let bytes = try? File.read("\(folder)/\(run).json") else { return nil }
        return try? JSON.decode(Entry.self, from: bytes)
    }

    /// An entry that cannot be read is left out.
    var entries: [RunID: Entry] {
        let names = (try? File.list(folder)) ?? []
        let runs = names.filter { $0.hasSuffix(".json") }.compactMap { RunID(String($0.dropLast(5))) }
        return Dictionary(
            runs.compactMap { run in read(run).map { (run, $0) } }, uniquingKeysWith: { first, _ in first })
    }
}
