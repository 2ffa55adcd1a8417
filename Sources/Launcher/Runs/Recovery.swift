internal import Shared

/// One pass of `launch recover` over a run.
struct Recovery {
    let world: World

    func pass(over run: KnownRun) async throws {
        let view = try await Runs(world: world).view(run)
        // The pod may be one that its agent could not end.
        try await PodBackstop(run: view, world: world).secure()
        guard Relaunch.isDue(view), let pod = view.pod else { return }
        if let reason = try Relaunch.limit(of: view) {
            return world.console.note("launch: \"\(run.id)\" is not started again: \(reason)")
        }
        _ = try await Relaunch(world: world).start(view, after: pod)
    }
}
