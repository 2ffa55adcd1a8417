#if os(Linux)
internal import FoundationEssentials
internal import Glibc
internal import Shared

/// Pods that are process trees on this machine, each in a session of its own, so that it outlives the launcher and its terminal.
struct LocalProvider: Provider {
    let home: String
    /// The program that a pod runs.
    let agent: String
    /// A pod inherits it, as a local command would.
    let environment: [String: String]

    /// `pods/ID/pod.json`
    private struct Record: Codable {
        var id: String
        var run: RunID
        var launch: String
        var volume: String
        var created: Date
        /// Absent while the pod is being started.
        var process: ProcessIdentity?
    }

    func create(_ order: PodOrder) async throws -> Pod {
        guard File.isExecutable(agent) else {
            throw Problem(
                "there is no pod-agent at \"\(agent)\"", hint: "put it beside launch, or set POD_AGENT to its path")
        }
        let spec = order.spec
        let id = Self.id(launch: spec.launch.id)
        var record = Record(id: id, run: spec.run, launch: spec.launch.id, volume: spec.volume, created: Date())
        // Of a run's pods only the newest is of any use.
        for pod in try await pods() where pod.run == spec.run && !pod.isRunning { try File.removeTree(folder(pod.id)) }
        try File.makeFolders(folder(id))
        try write(record)
        let pid = try start(order, id: id)
        record.process = ProcessIdentity(pid: pid)
        try write(record)
        return pod(record)
    }

    func preview(_ order: PodOrder) throws -> [UInt8] {
        struct Request: Encodable {
            var execute: [String]
            var folder: String
            var environment: [String: String]
        }
        let id = Self.id(launch: order.spec.launch.id)
        let variables = try variables(order.redacted, id: id, tokenDigest: "(SHA-256 of the launch's token)")
        return try JSON.encode(Request(execute: [agent], folder: folder(id), environment: variables), pretty: true)
    }

    func pods() async throws -> [Pod] {
        guard File.exists("\(home)/pods") else { return [] }
        return try File.list("\(home)/pods")
            .compactMap { id in
                guard let bytes = try? File.read("\(folder(id))/pod.json") else { return nil }
                return try? JSON.decode(Record.self, from: bytes)
            }
            .sorted { (left: Record, right: Record) in left.created > right.created }
            .map(pod)
    }

    func terminate(_ pod: Pod) async throws {
        if let process = pod.process, process.isAlive == true { kill(process.pid, SIGTERM) }
    }

    /// HMAC-SHA256 of the launch's id under a key that only this user can read.
    func token(launch: String) throws -> String {
        let path = "\(home)/key"
        if !File.exists(path) {
            try File.makeFolders(home)
            let key = [UInt8].random(count: 32)
            // The first one stays. A name of its own for each: a pid is shared by tasks, and by containers with one home.
            let aside = "\(path).\([UInt8].random(count: 8).hexadecimal)"
            _ = try File.createExclusively(path, with: key, aside: aside, mode: 0o600)
        }
        return SHA256Digest(authenticating: launch.utf8, key: try File.read(path)).description
    }

    func console(of pod: Pod) -> String {
        let text = ((try? File.read("\(folder(pod.id))/console.log")) ?? []).text
        return text.split(separator: "\n").suffix(10).joined(separator: "\n")
    }

    private static func id(launch: String) -> String { "local-\(launch)" }

    private func folder(_ id: String) -> String { "\(home)/pods/\(id)" }

    private func write(_ record: Record) throws {
        try File.replace("\(folder(record.id))/pod.json", with: try JSON.encode(record, pretty: true))
    }

    private func pod(_ record: Record) -> Pod {
        // A launcher that died before it wrote the process down: the agent did, in its claim.
        let process =
            record.process
            ?? (try? Volume(root: record.volume).run(record.run).claims())?
            .last { $0.pod == record.id }?.processes.first
        return Pod(
            id: record.id, run: record.run, launch: record.launch, volume: record.volume,
            isRunning: process?.isAlive == true,
            address: try? File.read("\(folder(record.id))/endpoint").text.trimmed, process: process)
    }

    private func variables(_ order: PodOrder, id: String, tokenDigest: String) throws -> [String: String] {
        var variables = order.secrets
        variables["POD_AGENT_SPEC"] = try JSON.text(order.spec)
        variables["POD_AGENT_TOKEN_SHA256"] = tokenDigest
        variables["POD_AGENT_POD_ID"] = id
        variables["POD_AGENT_ENDPOINT_FILE"] = "\(folder(id))/endpoint"
        if !order.notify.isEmpty { variables["POD_AGENT_NOTIFY"] = try JSON.text(order.notify) }
        return variables
    }

    private func start(_ order: PodOrder, id: String) throws -> pid_t {
        let digest = SHA256Digest(of: try token(launch: order.spec.launch.id)).description
        let inherited = environment.filter { name, _ in !name.hasPrefix("POD_AGENT_") }
        let variables = inherited.merging(try variables(order, id: id, tokenDigest: digest)) { $1 }

        let console = "\(folder(id))/console.log"
        let output: Int32
        do {
            output = try Errno.check { open(console, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        } catch {
            throw Problem("open \"\(console)\"", errno: error.code)
        }
        defer { close(output) }
        return try CleanSpawn(
            program: agent, arguments: [agent], environment: variables, folder: folder(id), output: output
        ).start()
    }
}
#else
internal import Shared

/// Pods that are process trees on this machine: on Linux only, where the agent runs.
struct LocalProvider: Provider {
    let home: String
    let agent: String
    let environment: [String: String]

    private var problem: Problem {
        Problem("provider \"local\" needs Linux", hint: "run launch where the training is to run")
    }

    func create(_ order: PodOrder) async throws -> Pod { throw problem }
    func preview(_ order: PodOrder) throws -> [UInt8] { throw problem }
    func pods() async throws -> [Pod] { throw problem }
    func terminate(_ pod: Pod) async throws { throw problem }
    func token(launch: String) throws -> String { throw problem }
    func console(of pod: Pod) -> String { "" }
}
#endif
