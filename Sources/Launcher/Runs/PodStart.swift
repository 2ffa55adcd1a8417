internal import Shared

/// Waits for the agent of a new pod to answer and to own the run.
struct PodStart: Sendable {
    let pod: Pod
    let provider: any Provider
    let world: World
    /// Sent once the agent answers; nil: the pod finds its code on its volume.
    var code: CodeDelivery?

    /// No phase is shown before this time, and none sooner after another one.
    private static let quiet: Duration = .seconds(3)

    func wait() async throws -> RunStart.Decision {
        let start = ContinuousClock.now
        var shown = (phase: "", at: start)
        var isDelivered = code == nil
        while true {
            let pods = try await provider.pods()
            guard let pod = pods.first(where: { $0.id == pod.id }), pod.isRunning else { return try await ended() }
            if !isDelivered { isDelivered = try await deliver(to: pod) }
            if isDelivered, let status = try await status(of: pod) {
                return .started(try await view(pod), offset: status.attempt.logStart)
            }
            if shown.at.duration(to: .now) > Self.quiet {
                let startup = await provider.startup(of: pod)
                if startup.phase != shown.phase { world.console.note("launch: \(startup.phase)") }
                shown = (startup.phase, .now)
                if let failure = startup.failure { throw await useless(pod, failure) }
                if start.duration(to: .now) > startup.timeout { throw await silence(of: pod) }
            }
            try await Task.sleep(for: provider.pollInterval)
        }
    }

    /// Returns whether the agent has the code.
    private func deliver(to pod: Pod) async throws -> Bool {
        guard let code, let agent = try await Runs(world: world).agent(of: pod) else { return code == nil }
        do {
            _ = try await agent.health()
        } catch {
            guard AgentClient.isPassing(error) else { throw error }
            return false
        }
        try await code.send(to: agent)
        return true
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

    /// Ends a pod whose agent will never answer, so that it is not billed.
    private func useless(_ pod: Pod, _ problem: Problem) async -> Failure {
        let words = await provider.lastWords(of: pod)
        var problem = problem
        do {
            try await provider.end(pod, .interrupt)
            problem.sentence += "; pod \"\(pod.id)\" was ended"
        } catch {
            problem.sentence += "; pod \"\(pod.id)\" could not be ended: \(error)"
        }
        if !words.isEmpty { problem.hint = (problem.hint ?? "") + "\nits own output:\n" + words }
        return Failure(.setupFailed, problem)
    }

    private func silence(of pod: Pod) async -> Failure {
        if provider.backstop != nil {
            return await useless(pod, Problem("the agent of pod \"\(pod.id)\" does not answer"))
        }
        return await silence()
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
