import ArgumentParser
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

struct Logs: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print a run's log, over all its attempts.",
        discussion: "Byte for byte as the training printed it, wherever it goes to.")

    @Argument(help: "The run; may be left out when there is one.") var run: String?
    @Option(help: ArgumentHelp("Print the last lines only.", valueName: "lines")) var tail: Int?
    @Option(help: ArgumentHelp("Print what came within this time only, such as 10m or 1h30m.", valueName: "duration"))
    var since: String?
    @Flag(name: .shortAndLong, help: "Go on until the run has ended.") var follow = false
    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "Write into this file; one that holds the beginning of the log is continued.", valueName: "file"))
    var output: String?

    func validate() throws {
        if let tail, tail < 0 { throw ValidationError("--tail takes a number of lines, not \(tail)") }
        if let since, Duration(written: since) == nil {
            throw ValidationError("--since takes a duration such as 10m, 2h or 1h30m, not \"\(since)\"")
        }
        if output != nil && (tail != nil || since != nil) {
            throw ValidationError(
                "--output excludes --tail and --since: the file holds the log from its first byte on")
        }
    }

    func run(in world: World) async throws {
        let run = try await Runs(world: world).find(run)
        let file = try output.map { path throws(Failure) in try LogFile(path) }
        let start = try start(of: run, into: file, at: world.now())
        let output: any LogOutput = file ?? PlainOutput(console: world.console)
        var follower = Follower(run, from: start, into: output, world: world)
        if follow { _ = try await follower.follow() } else { try follower.writeRest() }
    }

    /// Where the part of the log begins that was asked for. No file of the volume is open any more when it returns: a follower that
    /// lasts would keep a segment that is sealed by then, and its file system.
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
