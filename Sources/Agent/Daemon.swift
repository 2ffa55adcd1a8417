internal import FoundationEssentials
internal import Shared

/// The agent: claims the run, lives through one attempt after the other, and ends the pod.
///
/// It takes the events one by one and does what the table says about each.
actor Daemon {
    private struct TimedEvent: Sendable {
        var event: Event
        /// The attempt that posted the event, counted as `current`; nil if the event concerns whichever attempt is current.
        var attempt: Int?
        /// When it happened.
        var time: ContinuousClock.Instant
    }

    private let environment: AgentEnvironment
    private let children: Children
    /// The processes of the agent itself, `init` first.
    private let processes: [ProcessIdentity]
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
    private let volume = VolumeWriter()
    private let console = ContainerOutput.forLog()
    private let notifier: Notifier

    init(environment: AgentEnvironment, children: Children, processes: [ProcessIdentity]) {
        self.environment = environment
        self.children = children
        self.processes = processes
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
            case .attempt(let effect):
                let current = current
                attempt?.perform(effect, in: state, asked: event.time) { self.post($0, of: current) }
            case .startNext:
                formerLog = attempt?.retire()
                beginAttempt()
            case .stopPod:
                stopPod()
            case .exit(let code):
                await leave()
                return code
            }
        }
        return nil
    }

    private func beginAttempt() {
        current += 1
        state = RunState()
        attempt = nil
        setupTimer?.cancel()
        setupTimer = environment.spec.limits.setup.map { limit in
            Task { [current] in
                do { try await Task.sleep(for: .seconds(limit)) } catch { return }
                post(.setupTimedOut("the preparation took longer than limits.setup, \(Int(limit)) s"), of: current)
            }
        }
        Task { [current] in await claim(for: current) }
    }

    /// After the first attempt a claim is retried until it succeeds: a full or failing volume may recover.
    private func claim(for attempt: Int) async {
        var claimed: Claiming.Result?
        for pause in sequence(first: 1, next: { min($0 * 2, 30) }) {
            do {
                let result = if let claimed { claimed } else { try await claim() }
                claimed = result
                return try await begin(result)
            } catch {
                Console.complain(error)
                if attempt == 1 { return post(.cannotStart(.output), of: attempt) }
                try? await Task.sleep(for: .seconds(pause))
            }
        }
    }

    /// The agent stays until the provider confirms the pod's end: a pod whose container exits is restarted and billed on.
    private func stopPod() {
        let rule = state.ending.podRule ?? environment.spec.onFinish
        let way = attempt?.wayToEnd(by: rule) ?? .stop
        if attempt != nil, rule == .terminate, way == .stop {
            Console.say("the pod is stopped, not deleted: it is not proven that nothing is lost with it")
        }
        let stopper = PodStopper(routes: environment.meter, way: way) { Console.say($0) }
        Task {
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

    private func startServer() async throws {
        let router = Router(tokenDigest: environment.tokenDigest) { self.post($0) }
        // The one provider there is lends its loopback interface: a free port, told in a file.
        let server = try await Server(address: "127.0.0.1", port: 0, router: router)
        Task {
            do {
                try await server.run()
            } catch {
                // The training goes on: its log and its record are on the volume, and SIGTERM still ends it.
                Console.say("the API is gone: \(error)")
            }
        }
        if let path = environment.endpointFile {
            try File.replace(path, with: Array("http://127.0.0.1:\(server.port)\n".utf8))
        }
        api = (router, server)
    }

    private func claim() async throws -> Claiming.Result {
        let spec = environment.spec
        let run = Volume(root: spec.volume).run(spec.run)
        return try await Claiming(run: run, spec: spec, pod: environment.pod, processes: processes)
            .claim { Console.say($0) }
    }

    private func begin(_ result: Claiming.Result) async throws {
        guard let (router, server) = api else { return }
        let spec = environment.spec
        let run = Volume(root: spec.volume).run(spec.run)
        switch result {
        case .over(let outcome):
            post(.launchOver(outcome))
        case .owned(let claim), .finishing(let claim, _), .waiting(let claim, _, _):
            let work = try await DedicatedThread.run { [volume, console] in
                try OpenAttempt.open(claim, spec: spec, run: run, volume: volume, console: console)
            }
            // Before anything changes, so that no change is missed.
            router.announce(work.journal)
            let attempt = AttemptRunner(
                work: work, environment: environment, server: server,
                supervisor: Supervisor(
                    children: children, log: work.log,
                    saves: CheckpointFolder(of: spec, in: run).map { SaveWatch(folder: $0) },
                    mask: environment.mask),
                notifier: notifier)
            self.attempt = attempt
            // Before the API or a limit can post anything: a request to a claimed run comes after its claim.
            let event: Event =
                switch result {
                case .finishing(_, let outcome): .claimedFinishing(outcome)
                case .waiting(_, let outcome, let rest): .claimedWaiting(outcome, rest)
                case .owned, .over: .claimed
                }
            post(event)
            attempt.start { [current] in self.post($0, of: current) }
            router.serve(work)
            formerLog?.progress.close()
            formerLog = nil
        }
    }
}
