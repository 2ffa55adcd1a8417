#if os(Linux)
internal import FoundationEssentials
internal import Glibc
internal import HTTPClient
internal import Shared

/// Pods that are process trees on this machine. Each has a session of its own, so it outlives the launcher and its
/// terminal.
struct LocalProvider: Provider {
    let home: String
    /// The program that a pod runs.
    let agent: String
    /// Variables that each pod inherits, as a local command would.
    let environment: [String: String]
    /// Reads volumes through the agents' API; nil: as the folders that they are.
    private let files: LocalFiles?

    /// `LAUNCH_SOURCE=agent` in the environment has volumes read through the agents' API, as those of pods elsewhere
    /// are.
    init(
        home: String, agent: String, environment: [String: String],
        transport: any HTTPTransport = CurlTransport(userAgent: "launch/\(Version.current)")
    ) {
        self.home = home
        self.agent = agent
        self.environment = environment
        guard environment["LAUNCH_SOURCE"] == "agent" else {
            files = nil
            return
        }
        files = LocalFiles(home: home, agent: agent, environment: environment, transport: transport)
    }

    var name: ProviderName { .local }
    private var records: LocalPods { LocalPods(home: home) }
    private var index: VolumeIndex { VolumeIndex(home: home) }

    func place(for resources: Resources) -> PodPlace {
        if case .folder(let path) = resources.volume { .folder(path) } else { .folder(index.defaultVolume) }
    }

    func offers(for order: PodOrder) async throws -> [Offer] { [Offer(text: "this machine")] }

    func create(_ order: PodOrder, at offer: Offer) async throws -> Pod {
        guard File.isExecutable(agent) else {
            throw Problem(
                "there is no pod-agent at \"\(agent)\"", hint: "put it beside launch, or set POD_AGENT to its path")
        }
        let order = order.bought(at: offer)
        let spec = order.spec
        let id = Self.id(launch: spec.launch.id)
        var record = LocalPods.Record(
            id: id, run: spec.run, launch: spec.launch.id, volume: order.place.hostVolume?.root ?? spec.volume,
            created: Date())
        // Only the newest of a run's pods is of any use.
        for pod in try await pods() where pod.run == spec.run && pod.hasEnded { try records.remove(pod.id) }
        try File.makeFolders(records.folder(id))
        try records.write(record)
        record.process = ProcessIdentity(pid: try spawn(order, id: id))
        if record.process == nil { record.endedAtOnce = true }
        try records.write(record)
        try remember(spec.run, at: order.place)
        return records.pod(record, process: record.process)
    }

    func start(_ pod: Pod, with order: PodOrder) async throws -> Pod {
        throw Problem("pod \"\(pod.id)\" is a process that has ended, it cannot be started again")
    }

    func preview(_ order: PodOrder, at offer: Offer) throws -> [UInt8] {
        struct Request: Encodable {
            var execute: [String]
            var folder: String
            var environment: [String: String]
        }
        let id = Self.id(launch: order.spec.launch.id)
        let variables = try variables(order.redacted, id: id, tokenDigest: "(SHA-256 of the launch's token)")
        return try JSON.encode(
            Request(execute: [agent], folder: records.folder(id), environment: variables), pretty: true)
    }

    func pods() async throws -> [Pod] {
        try records.all().map { records.pod($0, process: process(of: $0)) }
    }

    func end(_ pod: Pod, _ way: PodShutdown) async throws {
        // A process tree has one end.
        if let process = records.record(pod.id).flatMap(process), process.isAlive == true { kill(process.pid, SIGTERM) }
    }

    func markOver(_ pod: Pod) async throws {
        guard var record = records.record(pod.id) else { return }
        record.stopped = true
        do {
            try records.write(record)
        } catch {
            // Another command may have removed the record, because the pod has ended.
            if records.record(pod.id) != nil { throw error }
        }
    }

    func startup(of pod: Pod) async -> PodStartup {
        let words = await lastWords(of: pod)
        return PodStartup(phase: "the agent is not ready yet; it says: \(words)", timeout: .seconds(60))
    }

    func console(of pod: Pod) -> AsyncThrowingStream<String, any Error> {
        AsyncThrowingStream { [records] lines in
            let text = ((try? File.read(records.console(pod.id))) ?? []).text
            for line in text.split(separator: "\n") { lines.yield(String(line)) }
            lines.finish()
        }
    }

    func token(launch: String) async throws -> String { try LocalKey(home: home).token(launch: launch) }

    func runs() async throws -> [RunID: PodPlace] {
        let volume = index.defaultVolume
        let runs = (try await files?.runs(on: volume) ?? Volume(root: volume).runs).map { ($0, volume) }
        return Dictionary(runs) { first, _ in first }.merging(index.volumes) { $1 }.mapValues { .folder($0) }
    }

    func remember(_ run: RunID, at place: PodPlace) throws {
        if let volume = place.hostVolume { try index.remember(run, on: volume.root) }
    }

    func source(of run: RunID, at place: PodPlace, pod: Pod?) -> any RunSource {
        let volume = place.hostVolume ?? Volume(root: place.mount)
        return files?.source(of: volume) ?? FolderSource(volume: volume)
    }

    private static func id(launch: String) -> String { "local-\(launch)" }

    /// The pod's first process. A launcher that died early did not record it; then the agent's claim has it.
    private func process(of record: LocalPods.Record) -> ProcessIdentity? {
        if record.process != nil || files != nil { return record.process }
        return (try? Volume(root: record.volume).run(record.run).claims())?
            .last { $0.pod == record.id }?.processes.first
    }

    private func variables(_ order: PodOrder, id: String, tokenDigest: String) throws -> [String: String] {
        var variables = order.secretValues
        variables["POD_AGENT_SPEC"] = try JSON.text(order.spec)
        variables["POD_AGENT_TOKEN_SHA256"] = tokenDigest
        variables["POD_AGENT_POD_ID"] = id
        variables["POD_AGENT_ENDPOINT_FILE"] = records.endpoint(id)
        variables["POD_AGENT_COMMIT"] = order.commit
        if !order.notify.isEmpty { variables["POD_AGENT_NOTIFY"] = try JSON.text(order.notify) }
        return variables
    }

    /// Bytes of a spec in a variable. A variable and its name take less than 128 kB, execve(2).
    private static let maxVariable = 100_000

    private func spawn(_ order: PodOrder, id: String) throws -> pid_t {
        let token = try LocalKey(home: home).token(launch: order.spec.launch.id)
        let digest = SHA256Digest(of: token).description
        let inherited = environment.filter { name, _ in !name.hasPrefix("POD_AGENT_") }
        var variables = inherited.merging(try variables(order, id: id, tokenDigest: digest)) { $1 }
        if let spec = variables["POD_AGENT_SPEC"], spec.utf8.count > Self.maxVariable {
            let path = "\(records.folder(id))/spec.json"
            try File.replace(path, with: Array(spec.utf8), mode: 0o600)
            variables["POD_AGENT_SPEC"] = "@" + path
        }

        let console = records.console(id)
        let output: Int32
        do {
            output = try Errno.check { open(console, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        } catch {
            throw Problem("open \"\(console)\"", errno: error.code)
        }
        defer { close(output) }
        return try CleanSpawn(
            program: agent, arguments: [agent], environment: variables, folder: records.folder(id), output: output
        ).start()
    }
}
#endif
