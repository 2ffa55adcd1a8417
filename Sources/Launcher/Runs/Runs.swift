internal import Shared

/// Finds runs: on the volumes that the providers know, and by their pods.
struct Runs: Sendable {
    let world: World

    /// Every run that is known, by name, and why some providers could not be asked.
    func known() async -> (runs: [KnownRun], problems: [Problem]) {
        var runs: [RunID: KnownRun] = [:]
        var problems: [Problem] = []
        for provider in world.providers.all {
            do {
                for (id, place) in try await provider.runs() {
                    runs[id] = runs[id] ?? KnownRun(id: id, provider: provider, place: place)
                }
                for pod in try await provider.pods().reversed() {
                    runs[pod.run] = KnownRun(id: pod.run, provider: provider, place: pod.place, pod: pod)
                }
            } catch {
                problems.append(Failure(wrapping: error).problem)
            }
        }
        return (runs.values.sorted { $0.id < $1.id }, problems)
    }

    /// Returns the run with that name; without a name the only run. `parts` of its files can be read, besides the
    /// records.
    func find(_ name: String?, with parts: Set<RunPart> = []) async throws -> RunView {
        let (runs, problems) = await known()
        for problem in problems { world.console.complain(problem) }
        return try await view(try choose(name, among: runs, isComplete: problems.isEmpty), with: parts)
    }

    func view(_ run: KnownRun, with parts: Set<RunPart> = []) async throws -> RunView {
        try await RunView.load(run, with: parts, heartbeat: HeartbeatWatch(timeout: world.heartbeatTimeout))
    }

    /// The run of `view` as it is now.
    func refreshed(_ view: RunView, with parts: Set<RunPart> = []) async throws -> RunView {
        try await RunView.load(try await view.run.refreshed(), with: parts, heartbeat: view.heartbeat)
    }

    private func choose(_ name: String?, among runs: [KnownRun], isComplete: Bool) throws(Failure) -> KnownRun {
        // A provider that could not be asked may have the run.
        let exit = isComplete ? Exit.usage : .unavailable
        let names = runs.map(\.id.text).joined(separator: ", ")
        if let name {
            if let run = runs.first(where: { $0.id.text == name }) { return run }
            throw Failure(exit, "there is no run \"\(name)\"", hint: names.isEmpty ? nil : "the runs are: \(names)")
        }
        guard let only = runs.first else {
            throw Failure(exit, "there is no run", hint: "start one with \"launch run config.yaml\"")
        }
        guard runs.count == 1 else {
            throw Failure(.usage, "there is more than one run", hint: "name one of: \(names)")
        }
        return only
    }
}

extension Runs {
    /// A client of the pod's agent; nil if its address is not known.
    func agent(of pod: Pod) async throws -> AgentClient? {
        guard let address = pod.address else { return nil }
        let provider = try world.providers.named(pod.provider)
        return try await client(address, launch: pod.launch, of: provider)
    }

    /// A client of the agent that owns the run, or is about to; nil if its address is not known.
    ///
    /// The address comes from the pod, else from the claim: the pod's record may belong to another home, or be deleted.
    func agent(of view: RunView) async throws -> AgentClient? {
        if let pod = view.pod, pod.isRunning || pod.id == view.claims.last?.pod, pod.address != nil {
            return try await agent(of: pod)
        }
        guard view.pod?.isRunning != true, let claim = view.claims.last, let address = claim.address else { return nil }
        return try await client(address, launch: claim.launch, of: view.run.provider)
    }

    private func client(_ address: String, launch: String, of provider: any Provider) async throws -> AgentClient {
        AgentClient(
            address: address, token: try await provider.token(launch: launch), transport: world.transport)
    }
}
