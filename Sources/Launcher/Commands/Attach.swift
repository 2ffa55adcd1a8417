import ArgumentParser
internal import Shared

struct Attach: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a run that trains.",
        discussion: "Shows the last screenful, then goes on. Ctrl-C leaves the run running.\n\n\(Session.outputHelp)")

    @Argument(help: "The run; may be left out when there is one.") var run: String?
    @Flag(help: "Show the whole log first, that of earlier attempts too.") var fromStart = false

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
