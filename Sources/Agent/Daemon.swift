internal import Shared

/// The agent: claims the run, lives through one attempt after the other, and ends the pod.
///
/// It takes the events one by one and does what the table says about each.
actor Daemon {
    private struct TimedEvent: Sendable {
        var event: Event
        /// The attempt that posted the event, counted as `current`; nil if the event concerns whichever attempt is
        /// current.
        var attempt: Int?
        /// When it happened.
        var time: ContinuousClock.Instant
    }

    private let environment: AgentEnvironment
    private let host: Host
    private let opener: AttemptOpener
    /// Makes what runs the children of an attempt.
    private let makeProcesses: @Sendable (OpenAttempt) -> any TrainingProcesses
    private let events: AsyncStream<TimedEvent>
    private nonisolated let continuation: AsyncStream<TimedEvent>.Continuation

    private var api: (router: Router, server: Server)?
    private var state = RunState()
    private var attempt: AttemptRunner?
    /// The number of the current attempt among those of this agent, from 1 on.
    private var current = 0
    /// Posts that `limits.setup` of the current attempt is over.
    private var setupTimer: Task<Void, Never>?
    /// The log of the attempt before, whose followers stay until there is a new log to follow.
    private var formerLog: LogWriter?
    private let console = ContainerOutput.forLog()
    private let notifier: Notifier

    /// `agent` are the processes of the agent itself, `init` first.
    init(
        environment: AgentEnvironment, host: Host, agent: [ProcessIdentity],
        processes: @escaping @Sendable (OpenAttempt) -> any TrainingProcesses
    ) {
        self.environment = environment
        self.host = host
        makeProcesses = processes
        opener = AttemptOpener(
            environment: environment, processes: agent, volume: VolumeWriter(), console: console)
        notifier = Notifier(urls: environment.notify)
        (events, continuation) = AsyncStream.makeStream()
    }

    /// `attempt` is the attempt that the event belongs to, counted as `current`. `time` is when it happened.
    nonisolated func post(_ event: Event, of attempt: Int? = nil, at time: ContinuousClock.Instant = .now) {
        continuation.yield(TimedEvent(event: event, attempt: attempt, time: time))
    }

    /// Returns the pod's exit code.
    func run() async -> Int32 {
        do {
            try await startServer()
            beginAttempt()
        } catch {
            Console.complain(error)
            post(.cannotStart(.system))
        }
        for await event in events {
            // An event of an earlier attempt must not change the current one.
            if let attempt = event.attempt, attempt != current { continue }
            if let code = await handle(event) { return code }
        }
        return Exit.unknown.rawValue
    }

    /// Returns the pod's exit code when it is time to exit.
    private func handle(_ event: TimedEvent) async -> Int32? {
        if state.state == .claiming, case .setupTimedOut(let message) = event.event {
            Console.say("\(message): the run could not be claimed")
        }
        for effect in state.handle(event.event) {
            switch effect {
            case .attempt(let effect): attempt?.perform(effect, in: state, at: event.time)
            case .startNext:
                formerLog = attempt?.retire()
                beginAttempt()
            case .stopPod: stopPod()
            case .exit(let code):
                await leave()
                return code
            }
        }
        return nil
    }

    /// The agent stays until the provider confirms the pod's end: a pod whose container exits is restarted and billed
    /// on.
    private func stopPod() {
        let rule = state.ending.podRule ?? environment.spec.onFinish
        let way = attempt?.podEnd(by: rule) ?? .stop
        if attempt != nil, rule == .terminate, way == .stop {
            Console.say("the pod is stopped, not deleted: deleting it might lose data")
        }
        let stopper = PodStopper(routes: host.stopRoutes, way: way) { Console.say($0) }
        Task { [host, server = api?.server] in
            await server?.idle(for: .seconds(1), within: host.farewell)
            await stopper.run()
            post(.podStopped)
        }
    }

    private func leave() async {
        await attempt?.leave()
        await console?.flush(within: .milliseconds(100))
        await notifier.firstTries(within: state.ending.isPreempted ? .seconds(1) : .seconds(3))
        // Last, because the lines above may add some.
        await Console.flush(within: .milliseconds(100))
    }
}

// MARK: - The API

extension Daemon {
    private func startServer() async throws {
        let router = Router(tokenDigest: environment.tokenDigest, volume: environment.spec.volume) { self.post($0) }
        let server = try await Server(
            address: host.address, port: host.port, routes: router.table,
            limits: .fitting(descriptors: DescriptorLimit.raise()))
        Task {
            do {
                try await server.run()
            } catch {
                // The training continues: its log and its record are on the volume, and SIGTERM still ends it.
                Console.say("the API is gone: \(error)")
            }
        }
        if let path = host.endpointFile {
            try File.replace(path, with: Array("\(url(of: server))\n".utf8))
        }
        api = (router, server)
    }

    private func url(of server: Server) -> String { "http://\(host.address):\(server.port)" }

    /// The API's address for the claim; nil if the provider can tell it.
    private var claimedAddress: String? { host.port == 0 ? api.map { url(of: $0.server) } : nil }
}

// MARK: - The next attempt

extension Daemon {
    private func beginAttempt() {
        current += 1
        state = RunState()
        attempt = nil
        setupTimer?.cancel()
        let limit = environment.spec.limits.setup
        setupTimer = Task { [current] in
            do { try await Task.sleep(for: limit) } catch { return }
            let seconds = Int(limit.inSeconds)
            post(.setupTimedOut("the preparation took longer than limits.setup, \(seconds) s"), of: current)
        }
        Task { [current] in await claim(for: current) }
    }

    /// After the first attempt a claim is retried until it succeeds: a full or failing volume may recover.
    private func claim(for attempt: Int) async {
        var claimed: Claiming.Result?
        for pause in sequence(first: 1, next: { min($0 * 2, 30) }) {
            do {
                let result = if let claimed { claimed } else { try await opener.claim(address: claimedAddress) }
                claimed = result
                return try await begin(result)
            } catch {
                Console.complain(error)
                if attempt == 1 { return post(.cannotStart(.output), of: attempt) }
                try? await Task.sleep(for: .seconds(pause))
            }
        }
    }

    private func begin(_ result: Claiming.Result) async throws {
        let (claim, event): (Claim, Event)
        switch result {
        case .over(let outcome): return post(.launchOver(outcome), of: current)
        case .owned(let own): (claim, event) = (own, .claimed)
        case .finishing(let own, let outcome): (claim, event) = (own, .claimedFinishing(outcome))
        case .waiting(let own, let outcome, let rest): (claim, event) = (own, .claimedWaiting(outcome, rest))
        }
        begin(try await opener.open(claim), with: event)
    }

    private func begin(_ open: OpenAttempt, with event: Event) {
        guard let (router, server) = api else { return }
        // Before the first change, so that the events miss none.
        router.announce(open.journal)
        let attempt = AttemptRunner(
            open, variables: environment.inherited, receivesCode: host.receivesCode, processes: makeProcesses(open),
            notifier: notifier,
            followersLeft: { await server.quiet(within: $0) },
            post: { [current] in self.post($0, of: current) })
        self.attempt = attempt
        // Before the API or a limit can post anything: a request to a claimed run comes after its claim.
        post(event, of: current)
        attempt.start()
        router.serve(open)
        formerLog?.progress.close()
        formerLog = nil
    }
}
