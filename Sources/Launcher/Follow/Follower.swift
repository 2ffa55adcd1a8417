internal import HTTPClient
internal import Shared

/// Follows a run's log from byte to byte until the run has ended: through dropped connections, restarts of its pod, and new pods.
///
/// Stitched together, the responses are what is on the volume.
struct Follower: Sendable {
    let world: World
    /// Where the next byte comes from.
    var offset: Int
    private var run: RunView
    /// The stream that the last byte belongs to.
    private var stream: String?
    private var failures = 0

    init(_ run: RunView, from offset: Int, world: World) {
        self.run = run
        self.offset = offset
        self.world = world
    }

    /// Writes the log to the console until the run is not live any more; returns how it is then.
    mutating func follow() async throws -> RunView {
        while run.state.isLive {
            let pod = run.pod
            do {
                try await followOnce()
                failures = 0
                run = try await Runs(world: world).refreshed(run)
            } catch let cut as LogCut {
                goOn(from: cut)
            } catch {
                try Task.checkCancellation()
                run = try await Runs(world: world).refreshed(run)
                // The same pod would say the same again.
                if run.state.isLive && run.pod == pod && !Self.isPassing(error) { throw error }
                if run.state.isLive { try await pause(after: Failure(wrapping: error).problem.sentence) }
            }
        }
        try writeRest()
        return run
    }

    private static func isPassing(_ error: any Error) -> Bool {
        switch error {
        // What is not HTTP, or not the log, comes from whoever has the port of an agent that is gone.
        case let error as HTTPError: error.isPassing || error.code == .protocolError
        case let error as APIError: error.code == .unavailable || error.code == .internal
        default: false
        }
    }

    /// One response: it ends after a minute, with the run, or with the connection.
    private mutating func followOnce() async throws {
        guard let pod = run.pod, let agent = try Runs(world: world).agent(of: pod) else {
            throw HTTPError(.unreachable, "the pod has no address yet")
        }
        let exchange = try await agent.followLog(from: offset, stream: stream)
        stream = exchange.head.headers[APIHeader.logStream]
        for try await chunk in exchange.body {
            world.console.output(chunk)
            offset += chunk.count
            failures = 0
        }
    }

    /// Waits longer from time to time, and says so only when a person would begin to wonder.
    private mutating func pause(after reason: String) async throws {
        failures += 1
        if failures == 8 { world.console.note("launch: the agent does not answer (\(reason)); still trying") }
        try await Task.sleep(for: min(.milliseconds(20 << min(failures, 7)), .seconds(2)))
    }

    private mutating func goOn(from cut: LogCut) {
        world.console.note(
            "launch: \(offset - cut.offset) bytes above were lost with a pod and are not part of the log")
        offset = cut.offset
        stream = nil
    }

    /// What the agent could not serve any more is on the volume.
    private mutating func writeRest() throws {
        if let cut = run.claims.cut(of: stream, before: offset) { goOn(from: LogCut(offset: cut)) }
        let log = try LogStream(of: run.folder)
        while case let bytes = try log.read(at: offset, limit: 1 << 20), !bytes.isEmpty {
            world.console.output(bytes)
            offset += bytes.count
        }
    }
}
