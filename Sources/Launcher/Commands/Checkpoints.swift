import ArgumentParser
internal import Shared

struct Checkpoints: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "List a run's checkpoints.",
        discussion: """
            PROVEN  A proven checkpoint was whole and on stable storage when its receipt was written. Its names, sizes \
            and times have not changed since. "--sums" checks the content too: pipe it into "sha256sum -c".

            FIXED NAMES  A checkpoint of "checkpoints.names" is shown with the last step that the training reported \
            before the save. With "keep: N" the folder "kept" of the run has copies of the last N proven ones. If a \
            start finds the original torn, it moves it to "torn" and restores the newest copy. A copy is made only if \
            twice its size is free.

            HOW OFTEN TO SAVE  The line below the table advises an interval. It is computed from the time that a save \
            takes and from how often this run was interrupted.
            """)

    @Argument(help: "Name of the run. May be left out if there is only one.") var run: String?
    @OptionGroup var rental: RentalOptions
    @Flag(help: "Print JSON.") var json = false
    @Flag(help: "Print the SHA-256 of each file of the proven checkpoints, as sha256sum does.") var sums = false

    @Flag(help: "Say for each checkpoint why it is proven, or why it is not.") var explain = false

    func validate() throws {
        if explain && (json || sums) { throw ValidationError("--explain stands alone") }
        if json && sums { throw ValidationError("--json contains the sums: leave out --sums") }
    }

    func run(in world: World) async throws {
        await rental.apply(to: world)
        let run = try await Runs(world: world).find(run, with: [.receipts])
        let list = try await CheckpointList(of: run, at: world.now())
        if json { return world.console.show(try JSON.text(list.checkpoints, pretty: true) + "\n") }
        world.console.show(sums ? list.sums : explain ? list.explanations : list.text)
        if sums || explain || list.checkpoints.isEmpty { return }
        let advice = SaveAdvice(
            checkpoints: list.checkpoints, attempts: try run.attempts(),
            lost: run.state == .lost
                ? run.claims.last.flatMap { run.folder.readBeat($0.number)?.at } ?? world.now() : nil,
            at: world.now())
        world.console.note(advice.text)
    }
}
