import ArgumentParser
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

struct Logs: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a run's log with all its attempts.",
        discussion: "The output is byte for byte what the training printed, on a terminal as in a file.")

    @Argument(help: "Name of the run. May be left out if there is only one.") var run: String?
    @Option(help: ArgumentHelp("Print only the last lines.", valueName: "lines")) var tail: Int?
    @Option(help: ArgumentHelp("Print only the lines of this last time, such as 10m or 1h30m.", valueName: "duration"))
    var since: String?
    @Flag(name: .shortAndLong, help: "Follow the log until the run has ended.") var follow = false
    @OptionGroup var rental: RentalOptions
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write to this file. A file that holds the beginning of the log is continued.", valueName: "file"))
    var output: String?

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail takes a number of lines, not \(tail)") }
        if let since, Duration(written: since) == nil {
            throw ValidationError("--since takes a duration such as 10m, 2h or 1h30m, not \"\(since)\"")
        }
        if output != nil && (tail != nil || since != nil) {
            throw ValidationError(
                "--output excludes --tail and --since: the file holds the log from its first byte")
        }
    }

    func run(in world: World) async throws {
        await rental.apply(to: world)
        let file = try output.map { path throws(Failure) in try LogFile(path) }
        let first = try file?.comparedFrom ?? 0
        let run = try await Runs(world: world).find(run, with: [.log(from: first)])
        let start = try start(of: run, into: file, at: world.now())
        let output: any LogOutput = file ?? PlainOutput(console: world.console)
        var follower = Follower(run, from: start, into: output, world: world)
        if !follow { return try await follower.writeRest() }
        let end = try await follower.follow()
        if end.state == .unknown { throw Failure.unknown(end) }
    }

    /// Returns the offset of the first byte to print. Leaves no file of the volume open: a long-lived follower would
    /// keep a sealed segment, and its file system, busy.
    private func start(of run: RunView, into file: LogFile?, at now: Date) throws -> Int {
        let log = try LogStream(of: run.folder)
        if let file { return try file.next(of: log) }
        let end = LogTail(log: log)
        let lines = try tail.map { try end.start(lines: $0) } ?? 0
        guard let duration = since.flatMap({ Duration(written: $0) }) else { return lines }
        let time = Int(now.timeIntervalSince1970) - Int(duration.components.seconds)
        return max(lines, try end.lineStart(before: try LogIndex.offset(at: time, in: run.folder)))
    }
}
