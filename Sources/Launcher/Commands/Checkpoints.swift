import ArgumentParser
internal import Shared

struct Checkpoints: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a run's checkpoints.",
        discussion: """
            A proven one was whole and on stable storage when its receipt was written, and has the sizes and times of then. \
            "--sums" shows whether its content is still the same: pipe it into "sha256sum -c".

            Of those of "checkpoints.names" the step is the last one that the training had told of when it was saved, and \
            with "keep: N" there are copies of the last N that were proven in the run's folder "kept": when a start finds the \
            one in place torn, it moves it to "torn" and puts the newest copy back. They take N times the room of the \
            checkpoint, and one is made only where twice its size is free. Of numbered ones "keep" deletes the older.

            The line below the table tells how often to save, from how long a save takes and how often this run was \
            interrupted.
            """)

    @Argument(help: "The run; may be left out when there is one.") var run: String?
    @Flag(help: "As JSON.") var json = false
    @Flag(help: "Print the SHA-256 of each file of the proven ones, as sha256sum does.") var sums = false

    func validate() throws {
        if json && sums { throw ValidationError("--json has the sums already: leave out --sums") }
    }

    func run(in world: World) async throws {
        let run = try await Runs(world: world).find(run)
        let list = try CheckpointList(of: run.folder, at: world.now())
        if json { return world.console.output(try JSON.encode(list.checkpoints, pretty: true) + [UInt8(ascii: "\n")]) }
        world.console.output(Array((sums ? list.sums : list.text).utf8))
        if sums || list.checkpoints.isEmpty { return }
        let advice = SaveAdvice(
            checkpoints: list.checkpoints, attempts: try run.attempts(),
            lost: run.state == .lost
                ? run.claims.last.flatMap { run.folder.readBeat($0.number)?.at } ?? world.now() : nil,
            at: world.now())
        world.console.note(advice.text)
    }
}
