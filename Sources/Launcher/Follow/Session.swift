internal import ArgumentParser
internal import Shared

/// What `run` and `attach` have in common: follow the log, then say how it ended.
struct Session: Sendable {
    let world: World

    /// Follows `run` from `offset` to its end and throws its exit code.
    func follow(_ run: RunView, from offset: Int) async throws {
        let interrupt = Interrupt(leaving: run.id)
        defer { interrupt.cancel() }
        var follower = Follower(run, from: offset, world: world)
        let end = try await follower.follow()
        world.console.errors(try Summary(of: end).text)
        throw Exit.code(of: end.latest?.state == .ended ? end.latest?.outcome : nil)
    }
}
