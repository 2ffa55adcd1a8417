internal import Shared

/// Reads a run through its pod's agent while the pod runs. After that it shows what this machine has of the run.
struct RunPodSource: RunSource {
    let live: AgentSource
    let isReachable: Bool
    /// Whether RunPod shows now that the pod has ended.
    let hasEnded: @Sendable () async -> Bool

    var original: Volume { live.original }
    var place: String { live.place }

    func folder(of run: RunID, with parts: Set<RunPart>) async throws -> RunFolder {
        guard isReachable else { return live.cache.run(run) }
        do {
            return try await live.folder(of: run, with: parts)
        } catch {
            // The agent ends its pod soon after the run.
            guard AgentClient.isPassing(error), await hasEnded() else { throw error }
            return live.cache.run(run)
        }
    }

    func checkpoints(of run: RunID) async throws -> [ListedCheckpoint] {
        if isReachable { return try await live.checkpoints(of: run) }
        throw Problem(
            "the checkpoints of \"\(run)\" are on \(place), and none of its pods runs",
            hint: "\"launch run\" starts one again")
    }
}
