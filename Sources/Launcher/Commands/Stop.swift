import ArgumentParser
internal import Shared

struct Stop: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop a run and keep its results.",
        discussion: "The training gets SIGTERM and time to save. Asked again, it can get less and never more.")

    @Argument(help: "The run; may be left out when there is one.") var run: String?
    @Flag(help: "Give the training seconds.") var now = false
    @Option(help: "Give the training so long, 90s or 1h30m; a minute where it is left out.") var grace: String?

    func validate() throws {
        if let problem = try request().problem { throw ValidationError(problem.sentence) }
    }

    private func request() throws -> StopRequest {
        guard let grace else { return now ? .now : .graceful }
        guard let patience = Duration(written: grace) else {
            throw ValidationError("\"\(grace)\" is not a duration such as 90s or 1h30m")
        }
        return StopRequest(mode: now ? .now : .graceful, patience: patience.inSeconds)
    }

    func run(in world: World) async throws {
        let runs = Runs(world: world)
        var run = try await runs.find(run)
        guard run.state.isLive else {
            world.console.note("launch: \"\(run.id)\" is not running: \(run.state.word)")
            return
        }
        try await tell(run, runs)
        let start = ContinuousClock.now
        var next: Duration = .seconds(5)
        while run.state.isLive {
            try await Task.sleep(for: .milliseconds(50))
            if case let waited = start.duration(to: .now), waited > next {
                next = waited + .seconds(30)
                world.console.note(
                    "launch: \"\(run.id)\" is \(run.state.word) still, \(Format.clock(waited.inSeconds)) after it was told to stop"
                )
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
        var outage = Outage()
        let start = ContinuousClock.now
        while true {
            do {
                guard let agent = try runs.agent(of: pod) else { throw APIError(.unavailable, "no address yet") }
                return try await agent.stop(try request())
            } catch let error as APIError where error.code == .unavailable {
                // It does not own the run yet, so there is no training to be gentle with.
                return try await runs.world.provider.terminate(pod)
            } catch {
                guard AgentClient.isPassing(error), start.duration(to: .now) < Self.timeout else { throw error }
                let reason = Failure(wrapping: error).problem.sentence
                if let words = outage.failed(reason) { runs.world.console.note("launch: \(words)") }
            }
            guard try await runs.refreshed(run).state.isLive else { return }
            try await Task.sleep(for: outage.pause)
        }
    }

    /// For an agent that does not answer, or a proxy that answers in its place.
    private static let timeout: Duration = .seconds(60)
}
