internal import Shared

/// Waits for the agent of a new pod to answer and to own the run.
struct PodStart: Sendable {
    let pod: Pod
    let provider: any Provider
    let world: World

    /// No phase is shown before this time, and none sooner after another one.
    private static let quiet: Duration = .seconds(3)

    func wait() async throws -> RunStart.Decision {
        let start = ContinuousClock.now
        var shown = (phase: "", at: start)
        while true {
            let pods = try await provider.pods()
            guard let pod = pods.first(where: { $0.id == pod.id }), pod.isRunning else { return try await ended() }
            if let status = try await status(of: pod) {
                return .started(try await view(pod), offset: status.attempt.logStart)
            }
            if shown.at.duration(to: .now) > Self.quiet {
                let startup = await provider.startup(of: pod)
                if startup.phase != shown.phase { world.console.note("launch: \(startup.phase)") }
                shown = (startup.phase, .now)
                if start.duration(to: .now) > startup.timeout { throw await silence() }
            }
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    private func view(_ pod: Pod) async throws -> RunView {
        let run = KnownRun(id: pod.run, provider: provider, place: pod.place, pod: pod)
        return try await Runs(world: world).view(run)
    }

    /// nil while the agent is not there, or does not own the run.
    private func status(of pod: Pod) async throws -> StatusReport? {
        guard let agent = try await Runs(world: world).agent(of: pod) else { return nil }
        do {
            return try await agent.status()
        } catch {
            guard AgentClient.isPassing(error) else { throw error }
            return nil
        }
    }

    private func silence() async -> Failure {
        Failure(
            .unavailable, "the agent of pod \"\(pod.id)\" does not answer",
            hint: "the pod stays; its own output:\n" + (await provider.lastWords(of: pod)))
    }

    /// A short run may be over before its agent was asked.
    private func ended() async throws -> RunStart.Decision {
        let run = try await view(try await provider.pods().first { $0.id == pod.id } ?? pod)
        guard let claim = run.claims.last, claim.pod == pod.id else {
            throw Failure(
                .unavailable, "the pod ended at once",
                hint: "its own output:\n" + (await provider.lastWords(of: pod)))
        }
        return .started(run, offset: claim.logStart)
    }
}
