internal import Shared

/// Starts a run again whose pod was taken away: only on proof that the pod has ended, and never against its user.
struct Relaunch {
    let world: World
    /// Before the second try if no pod is free. It doubles up to `longest`.
    var pause: Duration = .seconds(5)
    var longest: Duration = .seconds(300)

    /// Whether the provider took the pod of `run` away, which is seen by its proof that a spot pod has ended. A pod that
    /// RunPod cannot take away was stopped by somebody.
    static func isDue(_ run: RunView) -> Bool {
        guard let pod = run.pod, pod.hasEnded, pod.isSpot, !pod.isStopped else { return false }
        return run.state == .lost || run.state == .ended(.interrupted)
    }

    /// Returns the run with its new pod; nil if it stays as it is. Waits as long as no pod is free.
    func next(after run: RunView) async throws -> RunView? {
        guard Self.isDue(run), let pod = run.pod else { return nil }
        world.console.note("launch: pod \"\(pod.id)\" was taken away; starting \"\(run.id)\" again")
        var pause = pause
        while true {
            do {
                guard var known = try await once(run, pod) else { return nil }
                known = try await known.refreshed()
                return try await Runs(world: world).view(known)
            } catch let gone as OfferGone {
                world.console.note("launch: \(gone); trying again in \(Int(pause.inSeconds)) s")
                try await Task.sleep(for: pause)
                pause = min(pause * 2, longest)
            }
        }
    }

    /// One try. nil if the provider takes no pods away.
    func once(_ run: RunView, _ pod: Pod) async throws -> KnownRun? {
        guard let new = try await run.run.provider.relaunch(pod) else { return nil }
        world.console.note("launch: \"\(run.id)\" continues on pod \"\(new.id)\"")
        var known = run.run
        known.pod = new
        return known
    }
}
