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
        guard let pod = run.pod, let agent = try runs.agent(of: pod) else {
            throw Failure(.unavailable, "the agent of \"\(run.id)\" has no address yet", hint: "try again in a moment")
        }
        try await agent.stop(now ? .now : .graceful)
        while run.state.isLive {
            try await Task.sleep(for: .milliseconds(50))
            run = try await runs.refreshed(run)
        }
        world.console.errors(try Summary(of: run).text)
    }
}
