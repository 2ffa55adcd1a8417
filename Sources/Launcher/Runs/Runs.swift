internal import Shared

/// Finds runs: on the default volume, and on those that pods were made for.
struct Runs: Sendable {
    let world: World

    /// A run that is known. What the volume says of it is not read yet, and may be damaged.
    struct Known: Sendable {
        let id: RunID
        let volume: Volume
        /// The newest one.
        let pod: Pod?

        func view() throws -> RunView { try RunView(id: id, volume: volume, pod: pod) }
    }

    /// Every run that is known, by name.
    func known() async throws -> [Known] {
        let pods = try await world.provider.pods()
        var volumes: [RunID: Volume] = [:]
        for run in world.volume.runs { volumes[run] = world.volume }
        for pod in pods.reversed() { volumes[pod.run] = Volume(root: pod.volume) }
        return volumes.sorted { $0.key < $1.key }.map { run, volume in
            Known(id: run, volume: volume, pod: pods.first { $0.run == run })
        }
    }

    /// The run by that name; without a name the only one there is.
    func find(_ name: String?) async throws -> RunView {
        let runs = try await known()
        let names = runs.map(\.id.text).joined(separator: ", ")
        if let name {
            guard let run = runs.first(where: { $0.id.text == name }) else {
                throw Failure(
                    .usage, "there is no run \"\(name)\"", hint: names.isEmpty ? nil : "the runs are: \(names)")
            }
            return try run.view()
        }
        guard let only = runs.first else {
            throw Failure(.usage, "there is no run", hint: "start one with \"launch run config.yaml\"")
        }
        guard runs.count == 1 else {
            throw Failure(.usage, "there is more than one run", hint: "name one of: \(names)")
        }
        return try only.view()
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
