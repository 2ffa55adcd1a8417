internal import Shared

/// Starts a run again whose pod was taken away: only on proof that the pod has ended, and never against its user.
struct Relaunch {
    let world: World
    /// Before the second try if no pod is free. It doubles up to `longest`.
    var pause: Duration = .seconds(5)
    var longest: Duration = .seconds(300)

    /// Pods that may fail because of their hosts before it gives up.
    private static let maxFaults = 3

    /// Returns the run with its new pod; nil if it stays as it is. Waits as long as no pod is free.
    func next(after run: RunView) async throws -> RunView? {
        guard run.wasTakenAway, let pod = run.pod else { return nil }
        world.console.note("launch: pod \"\(pod.id)\" was taken away; starting \"\(run.id)\" again")
        var run = run
        var pause = pause
        var faults = 0
        while run.wasTakenAway, let pod = run.pod {
            do {
                return try await start(run, after: pod)
            } catch let refusal as RelaunchRefused {
                world.console.note("launch: \"\(run.id)\" is not started again: \(refusal.reason)")
                return nil
            } catch {
                let failure = Failure(wrapping: error)
                if error is HostFault { faults += 1 }
                let mayPass = [.unavailable, .noCapacity].contains(failure.exit) || error is HostFault
                guard mayPass, faults < Self.maxFaults else { throw failure }
                let next = "trying again in \(Int(pause.inSeconds)) s"
                world.console.note("launch: \(failure.problem.sentence); \(next)")
            }
            try await Task.sleep(for: pause)
            pause = min(pause * 2, longest)
            // Its user may have stopped it meanwhile, or another machine may have started it again.
            if let known = try? await run.run.refreshed() { run = try await Runs(world: world).view(known) }
        }
        return run.state.isLive ? run : nil
    }

    /// One try. Returns the run once the agent of its new pod owns it, or has found that the run had ended before. nil
    /// if the provider takes no pods away.
    func start(_ run: RunView, after pod: Pod) async throws -> RunView? {
        let provider = run.run.provider
        guard let new = try await provider.relaunch(pod) else { return nil }
        world.console.note("launch: \"\(run.id)\" continues on pod \"\(new.id)\"")
        let start = PodStart(
            pod: new, provider: provider, world: world, isNew: !provider.restarts(pod), isRelaunch: true)
        switch try await start.wait() {
        case .started(let view, _), .attach(let view): return view
        case .finished(let view):
            world.console.note("launch: \"\(run.id)\" had ended before its pod was gone")
            try await PodBackstop(run: view, world: world).release(new)
            return try await Runs(world: world).refreshed(view)
        }
    }
}
