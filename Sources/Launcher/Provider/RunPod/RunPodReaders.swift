internal import HTTPClient
internal import RunPod
internal import Shared

/// Pods without a GPU that serve network volumes to this process for reading: the smallest ones that RunPod has.
///
/// Each is deleted when the command ends. If this process dies, the pod's agent deletes it once no request comes.
actor RunPodReaders {
    private let account: RunPodAccount
    private let transport: any HTTPTransport
    private let say: @Sendable (String) -> Void
    /// The user wants to pay for them.
    private var isAllowed = false
    private var running: [String: Task<Reader, any Error>] = [:]

    private struct Reader: Sendable {
        var pod: String
        var client: AgentClient
    }

    static let port = 8000
    /// From the purchase to the first answer.
    private static let timeout: Duration = .seconds(15 * 60)
    private static let prefix = "launch-volume."

    init(account: RunPodAccount, transport: any HTTPTransport, say: @escaping @Sendable (String) -> Void) {
        self.account = account
        self.transport = transport
        self.say = say
    }

    func allow() { isAllowed = true }

    /// Whether a pod with this name serves a volume.
    static func isName(_ name: String) -> Bool { name.hasPrefix(prefix) }

    /// A client of the pod that serves the volume; nil if the user does not want one.
    func client(of volume: String, at mount: String, image: String) async throws -> AgentClient? {
        guard isAllowed else { return nil }
        if let reader = running[volume] { return try await reader.value.client }
        let reader = Task { try await start(volume, mount, image) }
        running[volume] = reader
        return try await reader.value.client
    }

    /// Deletes all of them.
    func close() async {
        for reader in running.values {
            guard let pod = try? await reader.value.pod else { continue }
            do {
                try await account.client.deletePod(pod)
            } catch {
                say("pod \"\(pod)\" could not be deleted, and ends by itself in some minutes: \(error)")
            }
        }
        running = [:]
    }

    private func start(_ volume: String, _ mount: String, _ image: String) async throws -> Reader {
        let client = try account.client
        let kinds = try await client.cpus().filter { $0.availability != "NONE" }
        guard let kind = kinds.min(by: { $0.lowestPrice < $1.lowestPrice }) else {
            throw OfferGone("RunPod has no pod without a GPU now")
        }
        say(
            "reading volume \(volume) through a \(kind.name) pod for \(Dollars.text(kind.lowestPrice)) an hour, "
                + "which is deleted in the end")
        let launch = [UInt8].random(count: 6).hexadecimal
        let token = try account.token(launch: launch)
        let creation = CPUPodCreation(
            name: "\(Self.prefix)\(volume).\(launch)", image: image, kind: kind,
            mounts: .network(volume, at: mount), port: Self.port,
            env: [
                "POD_AGENT_SPEC": #"{"provider":"runpod"}"#,
                "POD_AGENT_TOKEN_SHA256": SHA256Digest(of: token).description,
            ],
            command: [
                RunPodOrder.program, "files", "--volume", mount, "--listen", "0.0.0.0:\(Self.port)", "--end-pod",
            ])
        let pod = try await buy(creation, client)
        let agent = AgentClient(
            address: account.addresses.url(pod: pod, port: Self.port), token: token, transport: transport)
        do {
            try await wait(for: agent, pod, client)
        } catch {
            try? await client.deletePod(pod)
            throw error
        }
        return Reader(pod: pod, client: agent)
    }

    /// Returns the pod's id. A pod whose answer was lost is found by its name.
    private func buy(_ creation: CPUPodCreation, _ client: RunPodClient) async throws -> String {
        do {
            return try await client.createPod(creation).id
        } catch {
            guard error.mayHaveWorked else { throw error }
            guard let pod = try await client.pods().first(where: { $0.name == creation.name }) else { throw error }
            return pod.id
        }
    }

    private func wait(for agent: AgentClient, _ pod: String, _ client: RunPodClient) async throws {
        let start = ContinuousClock.now
        var shown = ""
        while start.duration(to: .now) < Self.timeout {
            if (try? await agent.statusOf("")) != nil { return }
            let boot = await RunPodBoot.read(pod, client)
            if let failure = boot.failure { throw failure }
            if let phase = boot.phase, phase != shown, start.duration(to: .now) > .seconds(3) {
                say("pod \"\(pod)\": \(phase)")
                shown = phase
            }
        }
        throw Problem("pod \"\(pod)\" does not serve volume files")
    }
}
