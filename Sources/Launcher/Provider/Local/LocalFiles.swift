#if os(Linux)
internal import HTTPClient
internal import Shared

/// Reads the volumes of local pods through the API of an agent, as those of pods elsewhere are read.
///
/// The agent of any pod that runs on a volume serves it. If there is none, a program of this process does.
struct LocalFiles: Sendable {
    private let pods: LocalPods
    private let servers: FilesServers
    private let transport: any HTTPTransport

    init(home: String, agent: String, environment: [String: String], transport: any HTTPTransport) {
        pods = LocalPods(home: home)
        servers = FilesServers(home: home, program: agent, environment: environment, transport: transport)
        self.transport = transport
    }

    /// Returns a client of an agent on `volume`. Starts a program that serves the volume if no agent runs there.
    /// Returns nil if there is no such folder.
    func client(of volume: String) async throws -> AgentClient? {
        for record in try pods.all() where record.volume == volume {
            if let client = await agent(of: record) { return client }
        }
        return try File.exists(volume) ? try await servers.client(of: volume) : nil
    }

    /// nil if the pod's agent does not answer.
    private func agent(of record: LocalPods.Record) async -> AgentClient? {
        let pod = pods.pod(record, process: record.process)
        guard pod.isRunning, let address = pod.address,
            let token = try? LocalKey(home: pods.home).token(launch: record.launch)
        else { return nil }
        let client = AgentClient(address: address, token: token, transport: transport)
        return (try? await client.statusOf("")) == nil ? nil : client
    }

    /// Runs on `volume`.
    func runs(on volume: String) async throws -> [RunID] {
        guard let agent = try await client(of: volume) else { return [] }
        do {
            return try await agent.entries(of: "runs").filter { $0.kind == .folder }.compactMap { RunID($0.name) }
        } catch let error as APIError where error.code == .notFound {
            return []
        }
    }

    func source(of volume: Volume) -> AgentSource {
        AgentSource(original: volume, place: volume.root, cache: Volume(root: pods.home)) {
            try await client(of: volume.root)
        }
    }
}
#endif
