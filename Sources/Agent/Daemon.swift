internal import FoundationEssentials
internal import Glibc
internal import Shared

/// The agent of one attempt: takes events one by one, and does what the table says about each.
actor Daemon {
    private let environment: AgentEnvironment
    private let children: Children
    /// The agent's own, `init` first.
    private let processes: [ProcessIdentity]
    private let events: AsyncStream<TimedEvent>
    private nonisolated let continuation: AsyncStream<TimedEvent>.Continuation

    private var state = RunState()
    private var attempt: AttemptRunner?
    /// `limits.setup` of the attempt.
    private var setupTimer: Task<Void, Never>?
    /// Of the attempt before, whose followers stay until there is a new log to follow.
    private var formerLog: LogWriter?
    private let volume = VolumeWriter()
    private let console = ContainerOutput.forLog()
    private let notifier: Notifier

    private struct TimedEvent: Sendable {
        var event: Event
        var time: ContinuousClock.Instant
    }

    init(environment: AgentEnvironment, children: Children, processes: [ProcessIdentity]) {
        self.environment = environment
        self.children = children
        self.processes = processes
        notifier = Notifier(urls: environment.notify)
        (events, continuation) = AsyncStream.makeStream()
    }

    nonisolated func tell(_ event: Event) { tell(event, at: .now) }

    /// `time` is when it happened.
    nonisolated func tell(_ event: Event, at time: ContinuousClock.Instant) {
        continuation.yield(TimedEvent(event: event, time: time))
    }

    /// Lives the attempt to its end and returns the pod's exit code.
    func run() async -> Int32 {
        let router = Router(tokenDigest: environment.tokenDigest, tell: tell)
        let server: Server
        do {
            server = try await startServer(router)
        } catch {
            Console.complain(error)
            await Console.flush(within: .milliseconds(100))
            return EX_OSERR
        }
        beginAttempt(router, server)
        for await happening in events {
            if state.state == .claiming, case .setupTimedOut(let message) = happening.event {
                Console.say("\(message): the run could not be claimed")
            }
            for effect in state.handle(happening.event) {
                switch effect {
                case .endMeter:
                    endMeter()
                case .exit(let code):
                    await attempt?.leave()
                    await console?.flush(within: .milliseconds(100))
                    await notifier.firstTries(within: state.isHurried ? .seconds(1) : .seconds(3))
                    // Also what they said.
                    await Console.flush(within: .milliseconds(100))
                    return code
                case .startNext:
                    formerLog = attempt?.retire()
                    beginAttempt(router, server)
                default:
                    attempt?.perform(effect, in: state, asked: happening.time, tell: tell)
                }
            }
        }
        return EX_SOFTWARE
    }

    private func beginAttempt(_ router: Router, _ server: Server) {
        state = RunState()
        attempt = nil
        setupTimer?.cancel()
        setupTimer = environment.spec.limits.setup.map { limit in
            Task {
                do { try await Task.sleep(for: .seconds(limit)) } catch { return }
                tell(.setupTimedOut("the preparation took longer than limits.setup, \(Int(limit)) s"))
            }
        }
        let isFirst = formerLog == nil
        Task {
            // Of a run that is on its way a full disk, or a volume that gives errors, is no reason to end before it has to.
            var claimed: Claiming.Result?
            for pause in sequence(first: 1, next: { min($0 * 2, 30) }) {
                do {
                    let result = if let claimed { claimed } else { try await claim() }
                    claimed = result
                    return try await begin(result, router, server)
                } catch {
                    Console.complain(error)
                    if isFirst { return tell(.claimFailed) }
                    try? await Task.sleep(for: .seconds(pause))
                }
            }
        }
    }

    /// The agent stays until the pod's end was seen: a pod whose container ends is started again, and costs on.
    private func endMeter() {
        let rule = state.finishAsked ?? environment.spec.onFinish
        let way = attempt?.wayToEnd(by: rule) ?? .stop
        if attempt != nil, rule == .terminate, way == .stop {
            Console.say("the pod is stopped, not deleted: it is not proven that nothing is lost with it")
        }
        let meter = PodStopper(routes: environment.meter, way: way) { Console.say($0) }
        Task {
            await meter.run()
            tell(.meterEnded)
        }
    }

    private func startServer(_ router: Router) async throws -> Server {
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
        return server
    }

    private func claim() async throws -> Claiming.Result {
        let spec = environment.spec
        let run = Volume(root: spec.volume).run(spec.run)
        return try await Claiming(run: run, spec: spec, pod: environment.pod, processes: processes)
            .claim { Console.say($0) }
    }

    private func begin(_ result: Claiming.Result, _ router: Router, _ server: Server) async throws {
        let spec = environment.spec
        let run = Volume(root: spec.volume).run(spec.run)
        switch result {
        case .over(let outcome):
            tell(.launchOver(outcome))
        case .owned(let claim), .finishing(let claim, _), .waiting(let claim, _, _):
            let work = try await DedicatedThread.run { [volume, console] in
                try OpenAttempt.open(claim, spec: spec, run: run, volume: volume, console: console)
            }
            // Before anything changes: no change is left out.
            router.announce(work.journal)
            let attempt = AttemptRunner(
                work: work, environment: environment, server: server,
                supervisor: Supervisor(
                    children: children, log: work.log,
                    saves: CheckpointFolder(of: spec, in: run).map { SaveWatch(folder: $0) },
                    mask: environment.mask),
                notifier: notifier)
            self.attempt = attempt
            // Before the API or a limit can tell of anything else: what is asked of a claimed run comes after it.
            let event: Event =
                switch result {
                case .finishing(_, let outcome): .claimedFinishing(outcome)
                case .waiting(_, let outcome, let rest): .claimedWaiting(outcome, rest)
                case .owned, .over: .claimed
                }
            tell(event)
            attempt.start(tell: tell)
            router.serve(work)
            formerLog?.progress.close()
            formerLog = nil
        }
    }
}
