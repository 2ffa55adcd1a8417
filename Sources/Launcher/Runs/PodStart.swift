internal import Shared

/// Waits for the agent of a new pod to answer and to own the run.
struct PodStart: Sendable {
    let pod: Pod
    let world: World

    /// From a pod's start to its agent's answer.
    private static let patience: Duration = .seconds(60)

    func wait() async throws -> RunStart.Decision {
        let start = ContinuousClock.now
        var hasSaidWhy = false
        while true {
            let pods = try await world.provider.pods()
            guard let pod = pods.first(where: { $0.id == pod.id }), pod.isRunning else { return try ended() }
            if let status = try await status(of: pod) {
                let run = try RunView(id: pod.run, volume: Volume(root: pod.volume), pod: pod)
                return .started(run, offset: status.attempt.logStart)
            }
            let waited = start.duration(to: .now)
            if waited > .seconds(3), !hasSaidWhy {
                hasSaidWhy = true
                world.console.note("launch: the agent is not ready yet; it says: \(world.provider.console(of: pod))")
            }
            if waited > Self.patience {
                throw Failure(
                    .unavailable, "the agent of pod \"\(pod.id)\" does not answer",
                    hint: "the pod goes on; its own output:\n" + world.provider.console(of: pod))
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    /// nil while the agent is not there, or does not own the run.
    private func status(of pod: Pod) async throws -> StatusReport? {
        guard let agent = try Runs(world: world).agent(of: pod) else { return nil }
        do {
            return try await agent.status()
        } catch {
            guard AgentClient.isPassing(error) else { throw error }
            return nil
        }
    }

    /// A short run may be over before its agent was asked.
    private func ended() throws -> RunStart.Decision {
        let run = try RunView(id: pod.run, volume: Volume(root: pod.volume), pod: pod)
        guard let claim = run.claims.last, claim.pod == pod.id else {
            throw Failure(
                .unavailable, "the pod ended at once", hint: "its own output:\n" + world.provider.console(of: pod))
        }
        return .started(run, offset: claim.logStart)
    }
}
