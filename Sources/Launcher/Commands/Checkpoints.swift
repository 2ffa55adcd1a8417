import ArgumentParser
internal import Shared

struct Checkpoints: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a run's checkpoints.",
        discussion: """
            A proven one was whole and on stable storage when its receipt was written, and has the sizes and times of then. \
            "--sums" shows whether its content is still the same: pipe it into "sha256sum -c".
            """)

    @Argument(help: "The run; may be left out when there is one.") var run: String?
    @Flag(help: "As JSON.") var json = false
    @Flag(help: "Print the SHA-256 of each file of the proven ones, as sha256sum does.") var sums = false

    func validate() throws {
        if json && sums { throw ValidationError("--json has the sums already: leave out --sums") }
    }

    func run(in world: World) async throws {
        let run = try await Runs(world: world).find(run)
        let list = try CheckpointList(of: run.folder)
        if json { return world.console.output(try JSON.encode(list.checkpoints, pretty: true) + [UInt8(ascii: "\n")]) }
        world.console.output(Array((sums ? list.sums : list.text(at: world.now())).utf8))
    }
}
