import ArgumentParser
internal import Shared

struct Run: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Train as a config says, and follow the training.",
        discussion: """
            If the run is training already, launch attaches to it and shows the last screenful of its log. Ctrl-C \
            leaves the run running.

            \(Session.outputHelp)
            """)

    @Argument(help: "Path of the config.", completion: .file(extensions: ["yaml", "yml"])) var config = "config.yaml"
    @Flag(help: "Begin at step 0. Existing checkpoints stay and are not used.") var forceRestart = false
    @Flag(help: "Take over a run that seems to belong to another project: this is the same one.") var adopt = false
    @Flag(help: "Show the whole log first, with that of earlier attempts.") var fromStart = false
    @Flag(help: "Return once the agent has answered and has the code.") var detach = false
    @Option(
        help: ArgumentHelp("Time to wait for a free pod, such as 2h (default: none).", valueName: "duration"))
    var wait: String?
    @Flag(help: "Print the resolved config and the request to the provider, and change nothing.") var dryRun =
        false

    func validate() throws { _ = try podTimeout() }

    private func podTimeout() throws -> Duration {
        guard let wait else { return .zero }
        guard let time = Duration(written: wait) else {
            throw ValidationError("\"\(wait)\" is not a duration such as 90s or 1h30m")
        }
        return time
    }

    func run(in world: World) async throws {
        let config = try Config.load(path: config, environment: world.environment)
        for warning in config.warnings { world.console.complain(warning.problem) }
        var start = RunStart(config: config, isForced: forceRestart, isAdopting: adopt, world: world)
        start.podTimeout = try podTimeout()
        if dryRun { return world.console.show(try await start.preview().text) }

        let decision = try await start.decide()
        switch decision {
        case .finished(let run):
            world.console.report(try Summary(of: run).text)
            world.console.note(
                """
                launch: "\(run.id)" has finished with this config and this code; nothing was started
                hint: change the config (more epochs, say) to train on from the newest checkpoint, \
                take --force-restart to begin at step 0, or give it another "run" name
                """)
        case .attach(let run):
            world.console.note("launch: \"\(run.id)\" is \(run.state.word) already; attached")
            if detach { return }
            let session = Session(world: world)
            if fromStart { return try await session.follow(run, from: 0) }
            try await session.followFromScreen(run)
        case .started(let run, let offset):
            if detach {
                world.console.note("launch: \"\(run.id)\" is running; come back with: launch attach \(run.id)")
            } else {
                try await Session(world: world).follow(run, from: fromStart ? 0 : offset)
            }
        }
    }
}
