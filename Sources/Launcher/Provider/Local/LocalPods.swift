#if os(Linux)
internal import FoundationEssentials
internal import Shared

/// Records of the local pods, `$LAUNCH_HOME/pods/ID`.
struct LocalPods: Sendable {
    let home: String

    /// `pods/ID/pod.json`
    struct Record: Codable {
        var id: String
        var run: RunID
        var launch: String
        var volume: String
        var created: Date
        /// nil while the pod is being started.
        var process: ProcessIdentity?
        /// The process ended before it could be recorded; nil is no.
        var endedAtOnce: Bool?
        /// Its user has stopped it; nil is no.
        var stopped: Bool?
    }

    func folder(_ id: String) -> String { "\(home)/pods/\(id)" }

    func console(_ id: String) -> String { "\(folder(id))/console.log" }

    /// The file to which the pod's agent writes its address.
    func endpoint(_ id: String) -> String { "\(folder(id))/endpoint" }

    /// Every record that can be read, the newest first.
    func all() throws -> [Record] {
        guard try File.exists("\(home)/pods") else { return [] }
        return try File.list("\(home)/pods").compactMap(record)
            .sorted { (left: Record, right: Record) in left.created > right.created }
    }

    /// nil if there is no such pod, or its record is damaged.
    func record(_ id: String) -> Record? {
        guard let bytes = try? File.read("\(folder(id))/pod.json") else { return nil }
        return try? JSON.decode(Record.self, from: bytes)
    }

    func write(_ record: Record) throws {
        try File.replace("\(folder(record.id))/pod.json", with: try JSON.encode(record, pretty: true), isShared: true)
    }

    func remove(_ id: String) throws { try File.removeTree(folder(id)) }

    /// `process` is the pod's first one, as far as it is known.
    func pod(_ record: Record, process: ProcessIdentity?) -> Pod {
        Pod(
            provider: .local, id: record.id, run: record.run, launch: record.launch, state: state(of: record, process),
            place: .folder(record.volume), created: record.created,
            address: try? File.read(endpoint(record.id)).text.trimmed)
    }

    private func state(of record: Record, _ process: ProcessIdentity?) -> Pod.State {
        if record.endedAtOnce == true { return .gone("its process ended at once") }
        guard let process else { return .unseen("its process is not on record") }
        return switch process.isAlive {
        case true?: .running
        case false?: .gone("its process has ended")
        case nil: .unseen("its process belongs to another container")
        }
    }
}
#endif
