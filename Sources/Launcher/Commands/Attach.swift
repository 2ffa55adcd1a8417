import ArgumentParser
internal import Shared

struct Attach: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a run that is training.",
        discussion: """
            Shows the last screenful of the log, then follows it. Ctrl-C leaves the run running.

            \(Session.outputHelp)
            """)

    @Argument(help: "Name of the run. May be left out if there is only one.") var run: String?
    @Flag(help: "Show the whole log first, with that of earlier attempts.") var fromStart = false

    func run(in world: World) async throws {
        let run = try await Runs(world: world).find(run)
        if !run.state.isLive {
            world.console.note(
                "launch: \"\(run.id)\" has no pod; \(fromStart ? "this is its log" : "its log ends with"):")
        }
        let session = Session(world: world)
        if fromStart { return try await session.follow(run, from: 0) }
        try await session.followFromScreen(run)
    }
}
