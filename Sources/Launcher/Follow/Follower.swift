internal import HTTPClient
internal import Shared
internal import Synchronization

/// Follows a run's log from byte to byte until the run has ended: through dropped connections, restarts of its pod, and new pods.
///
/// Stitched together, the responses are what is on the volume.
struct Follower: Sendable {
    let world: World
    /// Where the next byte comes from.
    var offset: Int
    var outage = Outage()
    var sleepWatch = SleepWatch()
    private let output: any LogOutput
    private var run: RunView
    /// The stream that the last byte belongs to.
    private(set) var stream: String?

    init(_ run: RunView, from offset: Int, into output: any LogOutput, world: World) {
        self.run = run
        self.offset = offset
        self.output = output
        self.world = world
        stream = streamBefore
    }

    /// The stream of the byte before this one, as far as the volume knows. Claims that are older than the byte make a cut out of
    /// none, which does no harm; newer ones would hide one.
    private var streamBefore: String? { run.claims.last { $0.logStart < offset }?.stream }

    /// Writes the log to the output until the run is not live any more; returns how it is then.
    mutating func follow() async throws -> RunView {
        while run.state.isLive {
            let pod = run.pod
            do {
                try await followOnce()
                run = try await Runs(world: world).refreshed(run)
                if run.state.isLive { try await Task.sleep(for: min(outage.pause, .milliseconds(500))) }
            } catch let cut as LogCut {
                run = try await Runs(world: world).refreshed(run)
                try goOn(from: cut)
            } catch let dropped as LogDropped {
                run = try await Runs(world: world).refreshed(run)
                try skip(to: dropped.firstKept)
            } catch let failure as Failure {
                // The output takes no more.
                throw failure
            } catch {
                try Task.checkCancellation()
                run = try await Runs(world: world).refreshed(run)
                if !run.state.isLive || error is SleepWatch.Slept { continue }
                // The same pod would say the same again.
                if run.pod == pod && !AgentClient.isPassing(error) { throw error }
                say(outage.failed(Failure(wrapping: error).problem.sentence))
                try await Task.sleep(for: outage.pause)
            }
        }
        try writeRest()
        output.end()
        return run
    }

    /// One response: it ends after a minute, with the run, or with the connection.
    private mutating func followOnce() async throws {
        guard let pod = run.pod, let agent = try Runs(world: world).agent(of: pod) else {
            throw HTTPError(.unreachable, "the pod has no address yet")
        }
        let start = ContinuousClock.now
        let lastLook = sleepWatch.begin()
        let exchange = try await sleepWatch.during(since: lastLook) { [offset, stream] in
            try await agent.followLog(from: offset, stream: stream)
        }
        say(outage.answered())
        stream = exchange.head.headers[APIHeader.logStream]

        let began = offset
        let position = Position(offset)
        defer {
            offset = position.offset
            if offset > began {
                outage.broughtBytes()
            } else if start.duration(to: .now) < .seconds(1) {
                outage.broughtNothing()
            }
        }
        try await sleepWatch.during(since: lastLook, atEachLook: { [output] in output.tick() }) { [output] in
            for try await chunk in exchange.body {
                try output.write(chunk, at: position.offset)
                position.advance(by: chunk.count)
            }
        }
    }

    /// How far the log was copied, for the task that copies and the one that waits for it.
    private final class Position: Sendable {
        private let value: Atomic<Int>

        init(_ offset: Int) { value = Atomic(offset) }

        var offset: Int { value.load(ordering: .sequentiallyConsistent) }

        func advance(by count: Int) { value.add(count, ordering: .sequentiallyConsistent) }
    }

    private func say(_ words: String?) {
        if let words { world.console.note("launch: \(words)") }
    }

    private mutating func goOn(from cut: LogCut) throws {
        say(try output.lose(cut.offset..<offset))
        offset = cut.offset
        stream = streamBefore
    }

    private mutating func skip(to kept: Int) throws {
        say(try output.skip(offset..<kept))
        offset = kept
        // A later attempt than that of the last byte may have begun in between, which is no cut.
        stream = streamBefore
    }

    /// Writes what the volume has from here on: all that an agent could not serve any more.
    mutating func writeRest() throws {
        if let cut = run.claims.cut(of: stream, before: offset) { try goOn(from: LogCut(offset: cut)) }
        let log = try LogStream(of: run.folder)
        if offset < log.begin { try skip(to: log.begin) }
        while case let bytes = try log.read(at: offset, limit: 1 << 20), !bytes.isEmpty {
            try output.write(bytes, at: offset)
            offset += bytes.count
        }
    }
}
