import ArgumentParser
internal import Shared

struct Logs: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a run's log, over all its attempts.",
        discussion: "Byte for byte as the training printed it, wherever it goes to.")

    @Argument(help: "The run; may be left out when there is one.") var run: String?
    @Option(help: ArgumentHelp("Print the last lines only.", valueName: "lines")) var tail: Int?
    @Flag(name: .shortAndLong, help: "Go on until the run has ended.") var follow = false
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write into this file; one that holds the beginning of the log is continued.", valueName: "file"))
    var output: String?

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail takes a number of lines, not \(tail)") }
        if tail != nil && output != nil {
            throw ValidationError(
                "--tail and --output exclude each other: the file holds the log from its first byte on")
        }
    }

    func run(in world: World) async throws {
        let run = try await Runs(world: world).find(run)
        let log = try LogStream(of: run.folder)
        let file = try output.map { path throws(Failure) in try LogFile(path) }
        let start = try file?.next(of: log) ?? tail.map { try LogTail(log: log).start(lines: $0) } ?? 0
        let output: any LogOutput = file ?? PlainOutput(console: world.console)
        var follower = Follower(run, from: start, into: output, world: world)
        if follow { _ = try await follower.follow() } else { try follower.writeRest() }
    }
}
