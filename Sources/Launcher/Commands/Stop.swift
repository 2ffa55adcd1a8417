import ArgumentParser
internal import Shared

struct Stop: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop a run and keep its results.",
        discussion: "The training gets SIGTERM and half a minute to save.")

    @Argument(help: "The run; may be left out when there is one.") var run: String?
    @Flag(help: "Give the training seconds instead of half a minute.") var now = false

    func run(in world: World) async throws {
        let runs = Runs(world: world)
        var run = try await runs.find(run)
        guard run.state.isLive else {
            world.console.note("launch: \"\(run.id)\" is not running: \(run.state.word)")
            return
        }
        try await tell(run, runs)
        let start = ContinuousClock.now
        var hasSaidSo = false
        while run.state.isLive {
            try await Task.sleep(for: .milliseconds(50))
            if !hasSaidSo && start.duration(to: .now) > .seconds(60) {
                hasSaidSo = true
                world.console.note("launch: \"\(run.id)\" is \(run.state.word) still; waiting for it to end")
            }
            run = try await runs.refreshed(run)
        }
        world.console.errors(try Summary(of: run).text)
    }

    private func tell(_ run: RunView, _ runs: Runs) async throws {
        guard let pod = run.pod else {
            throw Failure(
                .unavailable, "\"\(run.id)\" is not a pod of this machine", hint: "stop it where it was started")
        }
        do {
            guard let agent = try runs.agent(of: pod) else { throw APIError(.unavailable, "no address yet") }
            try await agent.stop(now ? .now : .graceful)
        } catch let error as APIError where error.code == .unavailable {
            // It does not own the run yet, so there is no training to be gentle with.
            try await runs.world.provider.terminate(pod)
        }
    }
}
