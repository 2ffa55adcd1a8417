import ArgumentParser
internal import HTTPClient
internal import Shared

struct Stop: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Stop a run and keep its results.",
        discussion: """
            The training gets SIGTERM and time to save. A second stop can shorten that time, never extend it.
            """)

    @Argument(help: "Name of the run. May be left out if there is only one.") var run: String?
    @Flag(help: "Kill the training after at most 3 seconds.") var now = false
    @Option(
        help: ArgumentHelp(
            "Time to save before the training is killed, such as 90s (default: 1m).", valueName: "duration"))
    var grace: String?

    func validate() throws {
        guard let problem = try request().problem else { return }
        throw ValidationError(problem.description)
    }

    private func request() throws -> StopRequest {
        guard let grace else { return now ? .now : .graceful }
        guard let time = Duration(written: grace) else {
            throw ValidationError("\"\(grace)\" is not a duration such as 90s or 1h30m")
        }
        return StopRequest(mode: now ? .now : .graceful, grace: time)
    }

    func run(in world: World) async throws {
        let runs = Runs(world: world)
        let run = try await runs.find(run)
        guard run.state.isLive else {
            if run.state == .unknown { throw Failure.unknown(run) }
            world.console.note("launch: \"\(run.id)\" is not running: \(run.state.word)")
            return try await keepStopped(run, world)
        }
        try await ask(run, runs)
        let end = try await end(of: run, runs)
        if end.state == .unknown { throw Failure.unknown(end) }
        world.console.report(try Summary(of: end).text)
        try await PodBackstop(run: end, world: world).secure()
        if let pod = end.pod { try await end.run.provider.markOver(pod) }
    }

    /// A run whose pod was taken away is not started again by "launch recover" any more.
    private func keepStopped(_ run: RunView, _ world: World) async throws {
        guard Relaunch.isDue(run), let pod = run.pod else { return }
        try await run.run.provider.markOver(pod)
        world.console.note("launch: \"\(run.id)\" is not started again until you do so with: launch run")
    }

    /// Returns once the run is not live any more. Says from time to time that it still is.
    private func end(of run: RunView, _ runs: Runs) async throws -> RunView {
        var run = run
        let start = ContinuousClock.now
        var next: Duration = .seconds(5)
        while run.state.isLive {
            try await Task.sleep(for: max(.milliseconds(50), run.run.provider.pollInterval))
            if case let waited = start.duration(to: .now), waited > next {
                next = waited + .seconds(30)
                runs.world.console.note(
                    "launch: \"\(run.id)\" is still \(run.state.word), \(Format.clock(waited.inSeconds)) after the request"
                )
            }
            run = try await runs.refreshed(run)
        }
        return run
    }

    private func ask(_ run: RunView, _ runs: Runs) async throws {
        var outage = Outage()
        let start = ContinuousClock.now
        if let pod = run.pod, case .provisioning = pod.state, run.run.provider.backstop != nil {
            // There is no agent yet, so no training needs time to save.
            return try await run.run.provider.end(pod, .interrupt)
        }
        while true {
            do {
                guard let agent = try await runs.agent(of: run) else { throw APIError(.unavailable, "no address yet") }
                return try await agent.stop(try request())
            } catch {
                // The agent may have left with the end of the run.
                guard try await runs.refreshed(run).state.isLive else { return }
                switch error {
                case let error as APIError where error.code == .unavailable:
                    guard let pod = run.pod else { throw Self.outOfReach(run) }
                    // The agent does not own the run yet, so no training needs time to save.
                    return try await run.run.provider.end(pod, .interrupt)
                case let error as HTTPError where run.owner == .unseen:
                    throw Self.outOfReach(run, because: error.message)
                case let error as APIError where error.code == .unauthorized:
                    // The pod is of another $LAUNCH_HOME, which has another key.
                    throw Self.outOfReach(run, because: error.message)
                default: break
                }
                guard AgentClient.isPassing(error) else { throw error }
                if start.duration(to: .now) > (now ? Self.shortTimeout : Self.timeout) {
                    guard let pod = run.pod, run.run.provider.backstop != nil else { throw error }
                    runs.world.console.note("launch: the agent does not answer, so its pod is stopped without it")
                    return try await run.run.provider.end(pod, .interrupt)
                }
                let reason = Failure(wrapping: error).problem.sentence
                if let words = outage.failed(reason) { runs.world.console.note("launch: \(words)") }
            }
            try await Task.sleep(for: outage.pause)
        }
    }

    private static func outOfReach(_ run: RunView, because reason: String? = nil) -> Failure {
        Failure(
            .unavailable,
            "the agent of \"\(run.id)\" cannot be reached from here\(reason.map { ": \($0)" } ?? "")",
            hint: "stop it where it was started")
    }

    /// For an agent that does not answer, or a proxy that answers in its place.
    private static let timeout: Duration = .seconds(60)
    private static let shortTimeout: Duration = .seconds(10)
}
