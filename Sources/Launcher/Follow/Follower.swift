internal import HTTPClient
internal import Shared
internal import Synchronization

/// Follows a run's log byte by byte until the run has ended: through dropped connections, restarts of its pod, and new
/// pods.
///
/// The output gets exactly the bytes that are on the volume.
struct Follower: Sendable {
    let world: World
    /// Offset of the next byte.
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

    /// The stream of the byte before `offset`, by the claims that were read last. Claims older than the byte are
    /// harmless: they report a cut too many. Newer claims would hide a cut.
    private var streamBefore: String? { run.claims.last { $0.logStart < offset }?.stream }

    /// Writes the log to the output until the run has ended, over all its pods. Returns the run as it is then.
    mutating func follow() async throws -> RunView {
        world.console.endWithReader()
        try await followPods()
        while let next = try await Relaunch(world: world).next(after: run) {
            run = next
            try await followPods()
        }
        try await writeRest()
        output.end()
        return run
    }

    /// Writes the log to the output until the run is not live any more.
    private mutating func followPods() async throws {
        while run.state.isLive {
            let pod = run.pod
            do {
                try await followOnce()
                try await refresh()
                if run.state.isLive { try await Task.sleep(for: min(outage.pause, .milliseconds(500))) }
            } catch let cut as LogCut {
                try await refresh()
                try resume(from: cut)
            } catch let dropped as LogDropped {
                try await refresh()
                try skip(to: dropped.firstKept)
            } catch let failure as Failure {
                // The output could not be written.
                throw failure
            } catch {
                try Task.checkCancellation()
                try await refresh()
                if !run.state.isLive || error is SleepWatch.Slept { continue }
                try await recover(from: error, pod: pod)
            }
        }
    }

    /// Reads the run as it is now. Waits while the agent does not answer through which its volume is read.
    private mutating func refresh() async throws {
        while true {
            do {
                run = try await Runs(world: world).refreshed(run)
                return
            } catch {
                guard AgentClient.isPassing(error) else { throw error }
                say(outage.failed(Failure(wrapping: error).problem.sentence))
                try await Task.sleep(for: outage.pause)
            }
        }
    }

    /// Waits after a request that failed. `pod` is the one that was asked.
    private mutating func recover(from error: any Error, pod: Pod?) async throws {
        let isRefused = (error as? APIError)?.code == .unauthorized
        if run.owner == .unseen || isRefused && run.pod?.id != run.claims.last?.pod {
            // The agent has another network, or another home's key. Its volume has every byte a little later.
            try await writeRest()
            return try await Task.sleep(for: .milliseconds(500))
        }
        // The same pod would give the same answer again.
        if run.pod == pod && !AgentClient.isPassing(error) { throw error }
        say(outage.failed(Failure(wrapping: error).problem.sentence))
        try await Task.sleep(for: outage.pause)
    }

    /// One response: it ends after a minute, with the run, or with the connection.
    private mutating func followOnce() async throws {
        guard let agent = try await Runs(world: world).agent(of: run) else {
            throw HTTPError(.unreachable, "the pod has no address yet")
        }
        let start = ContinuousClock.now
        let lastReading = sleepWatch.begin()
        let exchange = try await sleepWatch.during(since: lastReading) { [offset, stream] in
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
        try await sleepWatch.during(since: lastReading, atEachReading: { [output] in output.tick() }) { [output] in
            for try await chunk in exchange.body {
                try output.write(chunk, at: position.offset)
                position.advance(by: chunk.count)
            }
        }
    }

    /// The offset after the last copied byte, shared by the task that copies and the task that waits for it.
    private final class Position: Sendable {
        private let value: Atomic<Int>

        init(_ offset: Int) { value = Atomic(offset) }

        var offset: Int { value.load(ordering: .sequentiallyConsistent) }

        func advance(by count: Int) { value.add(count, ordering: .sequentiallyConsistent) }
    }

    private func say(_ words: String?) {
        if let words { world.console.note("launch: \(words)") }
    }

    private mutating func resume(from cut: LogCut) throws {
        say(try output.lose(cut.offset..<offset))
        offset = cut.offset
        stream = streamBefore
    }

    private mutating func skip(to kept: Int) throws {
        say(try output.skip(offset..<kept))
        offset = kept
        // A later attempt may have begun among the skipped bytes, which is no cut.
        stream = streamBefore
    }

    /// Writes the rest of the log from the volume: the bytes that no agent could serve any more.
    mutating func writeRest() async throws {
        if let cut = run.claims.cut(of: stream, before: offset) { try resume(from: LogCut(offset: cut)) }
        let log = try LogStream(of: try await run.with([.log(from: offset)]).folder)
        if offset < log.begin { try skip(to: log.begin) }
        while case let bytes = try log.read(at: offset, limit: 1 << 20), !bytes.isEmpty {
            try output.write(bytes, at: offset)
            offset += bytes.count
        }
        stream = streamBefore
    }
}
