internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// One pass of `launch recover` over a run.
struct Recovery {
    let world: World

    func pass(over run: KnownRun) async throws {
        let view: RunView
        do {
            view = try await Runs(world: world).view(run)
        } catch {
            guard AgentClient.isPassing(error), try await endUseless(run, isUnread: true) else { throw error }
            return
        }
        // The pod may be one that its agent could not end.
        try await PodBackstop(run: view, world: world).secure()
        if view.state == .starting, try await endUseless(run, isUnread: false) { return }
        guard view.wasTakenAway, let pod = view.pod else { return }
        do {
            _ = try await Relaunch(world: world).start(view, after: pod)
        } catch let refusal as RelaunchRefused {
            world.console.note("launch: \"\(run.id)\" is not started again: \(refusal.reason)")
        }
    }

    /// Ends a pod whose agent will never answer, and that no command watches any more. Returns whether it did.
    ///
    /// `isUnread` if its volume could not be read, so that the run may be training. Then only the provider's own lines
    /// count: a pod that cannot be reached is not dead.
    private func endUseless(_ run: KnownRun, isUnread: Bool) async throws -> Bool {
        let provider = run.provider
        guard provider.backstop != nil, let pod = run.pod, pod.isRunning else { return false }
        let age = world.now().timeIntervalSince(pod.started ?? pod.created)
        let startup = await provider.startup(of: pod)
        // A younger pod may be watched by the command that bought it.
        guard age > (startup.stall ?? startup.timeout).inSeconds, try await !answers(pod) else { return false }
        guard startup.failure != nil || !isUnread && age > startup.timeout.inSeconds else { return false }
        let reason = startup.failure?.sentence ?? "its agent has not answered for \(Format.clock(age))"
        try await provider.end(pod, .interrupt)
        try await provider.markOver(pod)
        world.console.note("launch: pod \"\(pod.id)\" of \"\(run.id)\" was ended: \(reason)")
        return true
    }

    private func answers(_ pod: Pod) async throws -> Bool {
        guard let agent = try await Runs(world: world).agent(of: pod) else { return false }
        do {
            _ = try await agent.health()
            return true
        } catch {
            guard AgentClient.isPassing(error) else { throw error }
            return false
        }
    }
}
