internal import Shared

/// Reads a run through its pod's agent while the pod runs. After that it shows what this machine has of the run.
struct RunPodSource: RunSource {
    let live: AgentSource
    let reach: Reach
    /// Whether RunPod shows now that the pod has ended.
    let hasEnded: @Sendable () async -> Bool
    /// A client of a pod that serves the volume although no pod of the run does; nil if there is none.
    var reader: @Sendable () async throws -> AgentClient? = { nil }

    /// Whether the pod's agent answers.
    enum Reach {
        case yes
        /// RunPod shows no container yet, which may be old news.
        case maybe
        case no
    }

    var original: Volume { live.original }
    var place: String { live.place }

    func folder(of run: RunID, with parts: Set<RunPart>) async throws -> RunFolder {
        if reach == .no {
            guard let agent = try await reader() else { return live.cache.run(run) }
            return try await reading(through: agent).folder(of: run, with: parts)
        }
        do {
            return try await live.folder(of: run, with: parts)
        } catch {
            // The agent ends its pod soon after the run.
            guard AgentClient.isPassing(error) else { throw error }
            if reach == .yes, await !hasEnded() { throw error }
            return live.cache.run(run)
        }
    }

    func checkpoints(of run: RunID) async throws -> [ListedCheckpoint] {
        if reach == .no, let agent = try await reader() {
            return try await reading(through: agent).checkpoints(of: run)
        }
        if reach != .no { return try await live.checkpoints(of: run) }
        throw Problem(
            "the checkpoints of \"\(run)\" are on \(place), and none of its pods runs",
            hint: "--rent reads the volume through a pod without a GPU; \"launch run\" starts the run again")
    }

    private func reading(through agent: AgentClient) -> AgentSource {
        AgentSource(original: live.original, place: live.place, cache: live.cache, connect: { agent })
    }
}
