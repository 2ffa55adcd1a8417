internal import Shared

/// Finds runs: on the default volume, and on those that pods were made for.
struct Runs: Sendable {
    let world: World

    /// Every run that is known, by name.
    func all() async throws -> [RunView] {
        let pods = try await world.provider.pods()
        var volumes: [RunID: Volume] = [:]
        for run in world.volume.runs { volumes[run] = world.volume }
        for pod in pods.reversed() { volumes[pod.run] = Volume(root: pod.volume) }
        return try volumes.sorted { $0.key < $1.key }.map { run, volume in
            try RunView(id: run, volume: volume, pod: pods.first { $0.run == run })
        }
    }

    /// The run by that name; without a name the only one there is.
    func find(_ name: String?) async throws -> RunView {
        let runs = try await all()
        if let name {
            guard let run = runs.first(where: { $0.id.text == name }) else {
                let known = runs.map(\.id.text).joined(separator: ", ")
                throw Failure(
                    .usage, "there is no run \"\(name)\"", hint: known.isEmpty ? nil : "the runs are: \(known)")
            }
            return run
        }
        guard let only = runs.first else {
            throw Failure(.usage, "there is no run", hint: "start one with \"launch run config.yaml\"")
        }
        guard runs.count == 1 else {
            throw Failure(
                .usage, "there is more than one run",
                hint: "name one of: \(runs.map(\.id.text).joined(separator: ", "))")
        }
        return only
    }

    /// The view of `run` as it is now, with the same volume.
    func refreshed(_ run: RunView) async throws -> RunView {
        let pods = try await world.provider.pods()
        return try RunView(id: run.id, volume: Volume(of: run.folder), pod: pods.first { $0.run == run.id })
    }

    /// A client of the agent of the run's pod; nil where its address is not known.
    func agent(of pod: Pod) throws -> AgentClient? {
        guard let address = pod.address else { return nil }
        return AgentClient(
            address: address, token: try world.provider.token(launch: pod.launch), transport: world.transport)
    }
}
