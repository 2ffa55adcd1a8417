import ArgumentParser
internal import Shared

struct Attach: LauncherCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a run that trains.",
        discussion: "Shows the last lines, then goes on. Ctrl-C leaves the run running.")

    @Argument(help: "The run; may be left out when there is one.") var run: String?

    func run(in world: World) async throws {
        let run = try await Runs(world: world).find(run)
        if !run.state.isLive {
            world.console.note("launch: \"\(run.id)\" has no pod; its log ends with:")
        }
        try await Session(world: world).follow(run, from: try LogTail.start(of: run.folder, lines: 24))
    }
}

/// Where the last lines of a log begin.
enum LogTail {
    /// Bytes that are looked at.
    private static let window = 64 << 10

    static func start(of run: RunFolder, lines: Int) throws -> Int {
        let log = try LogStream(of: run)
        let end = try log.end
        let begin = max(log.begin, end - window)
        var bytes: [UInt8] = []
        while bytes.count < end - begin {
            let more = try log.read(at: begin + bytes.count, limit: end - begin - bytes.count)
            if more.isEmpty { break }
            bytes += more
        }
        let starts = bytes.indices.filter { $0 == 0 ? begin == log.begin : bytes[$0 - 1] == UInt8(ascii: "\n") }
        return begin + (starts.suffix(lines).first ?? 0)
    }
}
