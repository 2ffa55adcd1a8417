internal import ArgumentParser
internal import Shared

/// The common end of `run` and `attach`: follow the log, then say how the run ended.
struct Session: Sendable {
    let world: World

    /// For the help of both.
    static let outputHelp = """
        A terminal or a file gets the training's bytes unchanged. When standard output is a pipe, progress bars are \
        reduced to their final state, plus a snapshot every 30 seconds.
        """

    /// Follows `run` from `offset` to its end and throws its exit code.
    func follow(_ run: RunView, from offset: Int) async throws {
        try await follow(run, from: offset, into: output(after: TerminalLines()))
    }

    /// Shows the end of the log so far, as much as fits the terminal, then follows.
    func followFromScreen(_ run: RunView) async throws {
        let (start, output) = try showScreen(of: try await run.with([.logEnd]))
        try await follow(run, from: start, into: output)
    }

    /// Shows the end of the log. Returns the offset of the next byte and its output. Leaves no file of the volume open.
    private func showScreen(of run: RunView) throws -> (start: Int, output: any LogOutput) {
        let log = LogTail(log: try LogStream(of: run.folder))
        guard world.console.target != .file else {
            return (try log.start(lines: Self.defaultLines), output(after: TerminalLines()))
        }
        var lines = Self.defaultLines
        // The cursor takes a line too.
        if case .terminal(let height) = world.console.target { lines = max(1, height - 1) }
        let screen = try log.screen(lines: lines)
        world.console.output(screen.text)
        return (screen.end, output(after: screen.lines))
    }

    /// Lines to show if standard output has no height.
    private static let defaultLines = 24

    private func output(after lines: TerminalLines) -> any LogOutput {
        switch world.console.target {
        case .stream: return CompactOutput(console: world.console, after: lines)
        case .terminal, .file:
            if !lines.open.isEmpty { world.console.output(lines.open) }
            return PlainOutput(console: world.console)
        }
    }

    private func follow(_ run: RunView, from offset: Int, into output: any LogOutput) async throws {
        let interrupt = Interrupt(leaving: run.id)
        defer { interrupt.cancel() }
        var follower = Follower(run, from: offset, into: output, world: world)
        let end = try await follower.follow()
        world.console.report(try Summary(of: end).text)
        try await PodBackstop(run: end, world: world).secure()
        throw Exit.code(of: end.latest?.state == .ended ? end.latest?.outcome : nil)
    }
}
