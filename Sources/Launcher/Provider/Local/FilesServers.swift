#if os(Linux)
internal import Glibc
internal import HTTPClient
internal import Shared

/// Programs that serve volumes for this process, `pod-agent files`. Each ends with this process, or a moment later.
actor FilesServers {
    private let home: String
    private let program: String
    private let environment: [String: String]
    private let transport: any HTTPTransport
    private var running: [String: Task<Server, any Error>] = [:]

    private struct Server: Sendable {
        var pid: pid_t
        var client: AgentClient
        /// The program ends when this end of its input is closed.
        var input: Int32
    }

    /// Time from its start until it listens.
    private static let timeout: Duration = .seconds(20)

    /// `program` is a pod-agent, `home` the folder for its short-lived files.
    init(home: String, program: String, environment: [String: String], transport: any HTTPTransport) {
        self.home = home
        self.program = program
        self.environment = environment
        self.transport = transport
    }

    /// A client of the server of `volume`, which is started if it does not run.
    func client(of volume: String) async throws -> AgentClient {
        if let server = try? await running[volume]?.value, waitpid(server.pid, nil, WNOHANG) == 0 {
            return server.client
        }
        let server = Task { try await start(volume) }
        running[volume] = server
        return try await server.value.client
    }

    private func start(_ volume: String) async throws -> Server {
        let folder = "\(home)/servers/\([UInt8].random(count: 8).hexadecimal)"
        try File.makeFolders(folder)
        defer { try? File.removeTree(folder) }
        let token = [UInt8].random(count: 32).hexadecimal
        let (pid, input) = try spawn(volume, token: token, in: folder)
        let start = ContinuousClock.now
        while start.duration(to: .now) < Self.timeout {
            if let address = try? File.read("\(folder)/endpoint").text.trimmed {
                let client = AgentClient(address: address, token: token, transport: transport)
                return Server(pid: pid, client: client, input: input)
            }
            if waitpid(pid, nil, WNOHANG) == pid { throw failure(volume, in: folder) }
            try await Task.sleep(for: .milliseconds(5))
        }
        kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
        throw failure(volume, in: folder)
    }

    private func failure(_ volume: String, in folder: String) -> Problem {
        let words = ((try? File.read("\(folder)/log").text) ?? "").trimmed
        return Problem("\"\(volume)\" could not be served for reading", hint: words.isEmpty ? nil : words)
    }

    private func spawn(_ volume: String, token: String, in folder: String) throws -> (pid: pid_t, input: Int32) {
        var variables = environment.filter { name, _ in !name.hasPrefix("POD_AGENT_") }
        variables["POD_AGENT_TOKEN_SHA256"] = SHA256Digest(of: token).description
        let output: Int32
        do {
            output = try Errno.check { open("\(folder)/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        } catch {
            throw Problem("open \"\(folder)/log\"", errno: error.code)
        }
        defer { close(output) }
        return try CleanSpawn(
            program: program,
            arguments: [
                program, "files", "--volume", volume, "--endpoint-file", "\(folder)/endpoint", "--until-input-ends",
            ], environment: variables, folder: home, output: output
        ).startWithPipe()
    }
}
#endif
