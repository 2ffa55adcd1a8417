internal import Shared

/// Waits for the agent of a new pod to answer and to own the run.
struct PodStart: Sendable {
    let pod: Pod
    let provider: any Provider
    let world: World
    /// Sent once the agent answers; nil: the pod finds its code on its volume.
    var code: CodeDelivery?
    /// The pod was bought for this launch, so nothing is lost with its disk.
    var isNew = false
    /// The pod continues a launch, so its agent ends the pod at once if that launch proves to be over.
    var isRelaunch = false
    /// The agent ends the pod at once, too, if the run has finished with the spec that has this fingerprint.
    var finishedSpec: String?

    /// No phase is shown before this time, and none sooner after another one.
    private static let quiet: Duration = .seconds(3)

    func wait() async throws -> RunStart.Decision {
        let start = ContinuousClock.now
        var shown = (phase: "", at: start)
        var phaseStart = start
        var isDelivered = code == nil
        while true {
            let pods = try await provider.pods()
            guard let pod = pods.first(where: { $0.id == pod.id }), pod.isRunning else { return try await ended() }
            if case .running = pod.state, let over = try? await over(pod) { return .finished(over) }
            if !isDelivered { isDelivered = try await deliver(to: pod) }
            if isDelivered, let status = try await status(of: pod) {
                await provider.settled(pod)
                return .started(try await view(pod), offset: status.attempt.logStart)
            }
            if shown.at.duration(to: .now) > Self.quiet {
                let startup = await provider.startup(of: pod)
                if startup.phase != shown.phase {
                    world.console.note("launch: \(startup.phase)")
                    phaseStart = .now
                }
                shown = (startup.phase, .now)
                try await check(startup, of: pod, (start.duration(to: .now), phaseStart.duration(to: .now)))
            }
            try await Task.sleep(for: provider.pollInterval)
        }
    }

    /// In a rented pod that was started again the agent of its last start may still answer for some seconds.
    private func isPassing(_ error: any Error) -> Bool {
        let isRefused = (error as? APIError)?.code == .unauthorized
        return AgentClient.isPassing(error) || isRefused && provider.backstop != nil && !isNew
    }

    /// Returns whether the agent has the code.
    private func deliver(to pod: Pod) async throws -> Bool {
        guard let code, let agent = try await Runs(world: world).agent(of: pod) else { return code == nil }
        do {
            _ = try await agent.health()
        } catch {
            guard isPassing(error) else { throw error }
            return false
        }
        try await code.send(to: agent)
        return true
    }

    /// The run if it had ended for good before this pod was started; nil if it had not.
    private func over(_ pod: Pod) async throws -> RunView? {
        guard isRelaunch || finishedSpec != nil else { return nil }
        let view = try await view(pod)
        guard let latest = view.latest, latest.state == .ended, let kind = latest.outcome?.kind else { return nil }
        let isDone = kind == .finished && latest.spec == finishedSpec
        return isRelaunch && kind.endsLaunch || isDone ? view : nil
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
            guard isPassing(error) else { throw error }
            return nil
        }
    }

    /// Gives up on a pod that will never be ready. `times` are those since the start and since the last change of
    /// phase.
    private func check(_ startup: PodStartup, of pod: Pod, _ times: (all: Duration, phase: Duration)) async throws {
        if let failure = startup.failure {
            let failure = await useless(pod, failure)
            throw startup.isOfHost && isNew ? HostFault(pod: pod.id, failure: failure) : failure
        }
        if let stall = startup.stall, times.phase > stall {
            let words = "pod \"\(pod.id)\" has made no progress for \(Format.clock(times.phase.inSeconds))"
            let failure = await useless(pod, Problem("\(words): \(startup.phase)"))
            throw isNew ? HostFault(pod: pod.id, failure: failure) : failure
        }
        if times.all > startup.timeout { throw await silence(of: pod) }
    }

    /// Ends a pod whose agent will never answer, so that it is not billed.
    private func useless(_ pod: Pod, _ problem: Problem) async -> Failure {
        let words = await provider.lastWords(of: pod)
        var problem = problem
        do {
            try await provider.end(pod, isNew ? .end(.terminate) : .interrupt)
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
