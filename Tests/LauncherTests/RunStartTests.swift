import HTTPClient
import Shared
import Synchronization
import Testing

@testable import Launcher

/// The decisions of `launch run`, for each state that a run can have.
@Suite(.timeLimit(.minutes(1))) struct RunStartTests {
    private let test: TestWorld
    private let run: RunFixture
    private let yaml = "run: demo\ncommand: python train.py\n"

    init() throws {
        let volume = Mutex<RunFolder?>(nil)
        // Answers as the agent of any pod, with a report about the newest attempt.
        let agent = FakeTransport { request throws(HTTPError) in
            guard let folder = volume.withLock({ $0 }), let claim = try? folder.claims().last,
                let record = try? folder.readRecord(claim.number)
            else { throw HTTPError(.unreachable, "no agent") }
            return .status(of: record)
        }
        test = try TestWorld(transport: agent)
        run = try test.run()
        volume.withLock { [run] in $0 = run.folder }
    }

    private func start(_ yaml: String? = nil, force: Bool = false) throws -> RunStart {
        RunStart(config: try test.config(yaml ?? self.yaml), isForced: force, world: test.world)
    }

    /// Writes the spec that an agent with this config would write.
    private func recorded(_ yaml: String? = nil) async throws -> RunSpec {
        let config = try test.config(yaml ?? self.yaml)
        let spec = config.spec(
            project: try await ProjectIdentity(of: config).text, code: nil,
            volume: test.provider.volume.root,
            launch: LaunchOrder(id: "launch-1"))
        try run.spec(spec)
        return spec
    }

    /// Prepares pods whose agents claim the run at once, from byte `logStart` of the log.
    private func prepareCreation(logStart: Int = 0) {
        test.provider.prepareCreation { [run] order in
            let number = (try run.folder.claims().last?.number ?? 0) + 1
            let pod = "pod-\(order.spec.launch.id)"
            try run.record(try run.claim(number, pod: pod, launch: order.spec.launch.id, logStart: logStart))
            return .made(pod, run: run, launch: order.spec.launch.id)
        }
    }

    /// Expects a decision to start at `offset`. Returns the launch of the first order.
    private func started(_ decision: RunStart.Decision, at offset: Int) throws -> LaunchOrder {
        guard case .started(let view, offset) = decision else {
            Issue.record("\(decision)")
            throw FakeProvider.Unprepared()
        }
        #expect(view.id == run.id)
        return try #require(test.provider.orders.first).spec.launch
    }

    private func failure(_ start: RunStart) async throws -> Failure {
        let failure = try await #require(throws: Failure.self) { try await start.decide() }
        #expect(test.provider.orders.isEmpty)
        return failure
    }

    @Test("launch run starts a run that does not exist yet")
    func newRun() async throws {
        prepareCreation()
        let launch = try started(try await start().decide(), at: 0)
        #expect(launch.supersedes == [] && !launch.force)
        #expect(launch.id.count == 12)
        let spec = try #require(test.provider.orders.first).spec
        #expect(spec.volume == test.provider.volume.root)
        #expect(spec.project.hasPrefix("folder:"))
    }

    @Test("launch run passes the URLs of notify to the pod")
    func notify() async throws {
        prepareCreation()
        let plain = try start()
        var config = plain.config
        config.notify = ["https://example.com/secret"]
        _ = try await RunStart(config: config, isForced: false, world: plain.world).decide()
        #expect(test.provider.orders.first?.notify == ["https://example.com/secret"])
    }

    @Test("each launch of a run has an id of its own")
    func launchID() async throws {
        prepareCreation()
        _ = try await start().decide()
        let first = try #require(test.provider.orders.first).spec.launch.id
        try run.end(try #require(try run.folder.claims().last), Outcome(.stopped))
        test.provider.kill("pod-\(first)")
        _ = try await start().decide()
        #expect(test.provider.orders.count == 2)
        #expect(Set(test.provider.orders.map(\.spec.launch.id)).count == 2)
    }

    @Test("launch run attaches to a run that trains with the same config")
    func sameConfig() async throws {
        _ = try await recorded()
        try run.record(try run.claim())
        test.provider.add(.made(run: run))
        guard case .attach(let view) = try await start().decide() else { throw FakeProvider.Unprepared() }
        #expect(view.state == .active(.training))
        #expect(test.provider.orders.isEmpty)
    }

    @Test("launch run refuses another config while the run trains, and shows the difference")
    func otherConfig() async throws {
        _ = try await recorded()
        try run.record(try run.claim())
        test.provider.add(.made(run: run))
        let failure = try await failure(try start("run: demo\ncommand: python train.py --lr 2\nenv: {A: b}\n"))
        #expect(failure.exit == .config)
        #expect(
            failure.problem.sentence == """
                "demo" is training with another config:
                  command: "python train.py" → "python train.py --lr 2"
                  env.A: (not set) → "b"
                """)
        #expect(
            failure.problem.hint
                == "attach with: launch attach demo, or stop it first with: launch stop demo")
    }

    @Test("launch run --force-restart refuses a run that trains")
    func forceWhileLive() async throws {
        _ = try await recorded()
        try run.record(try run.claim())
        test.provider.add(.made(run: run))
        let failure = try await failure(try start(force: true))
        #expect(failure.exit == .config)
        #expect(failure.problem.sentence == "\"demo\" is training, it cannot be restarted")
    }

    @Test("launch run starts nothing if the run has finished with the same config")
    func finished() async throws {
        let spec = try await recorded()
        try run.end(try run.claim(), .finished, spec: try spec.fingerprint)
        guard case .finished(let view) = try await start().decide() else { throw FakeProvider.Unprepared() }
        #expect(view.state == .ended(.finished))
        #expect(test.provider.orders.isEmpty)
    }

    @Test("launch run --force-restart starts a run that has finished")
    func forceAfterFinish() async throws {
        let spec = try await recorded()
        try run.end(try run.claim(), .finished, spec: try spec.fingerprint)
        prepareCreation()
        #expect(try started(try await start(force: true).decide(), at: 0).force)
    }

    @Test(
        "launch run continues a finished run with another config",
        arguments: [
            "run: demo\ncommand: python train.py --epochs 9\n", "run: demo\ncommand: [python, train.py]\n",
            "run: demo\ncommand: python train.py\nworkdir: sub\n",
        ])
    func otherConfigAfterFinish(yaml: String) async throws {
        let spec = try await recorded()
        try run.end(try run.claim(), .finished, spec: try spec.fingerprint)
        prepareCreation(logStart: 77)
        _ = try started(try await start(yaml).decide(), at: 77)
    }

    @Test("launch run continues a finished run with other code")
    func otherCodeAfterFinish() async throws {
        prepareCreation()
        let yaml = yaml + "code: {path: .}\n"
        _ = try await start(yaml).decide()
        let first = try #require(test.provider.orders.first).spec
        try run.spec(first)
        try run.end(try #require(try run.folder.claims().last), .finished, spec: try first.fingerprint)
        test.provider.kill("pod-\(first.launch.id)")

        guard case .finished = try await start(yaml).decide() else { throw FakeProvider.Unprepared() }
        try File.write(Array("print(1)".utf8), over: "\(test.home)/project/train.py")
        guard case .started = try await start(yaml).decide() else { throw FakeProvider.Unprepared() }
        let second = try #require(test.provider.orders.last).spec
        #expect(second.code != first.code && second.command == first.command)
    }

    @Test(
        "launch run starts a run again after it failed, stopped or was interrupted",
        arguments: [
            Outcome(.failed, exit: .code(1)), Outcome(.failed, exit: .signal(9)), Outcome(.interrupted),
            Outcome(.stopped),
            Outcome(.setupFailed, message: "no code"),
        ])
    func afterOutcome(outcome: Outcome) async throws {
        let spec = try await recorded()
        try run.end(try run.claim(), outcome, spec: try spec.fingerprint)
        prepareCreation(logStart: 5)
        _ = try started(try await start().decide(), at: 5)
    }

    @Test("launch run supersedes an owner that is proven dead")
    func deadOwner() async throws {
        _ = try await recorded()
        try run.record(try run.claim(pod: "pod-old", process: .dead()))
        prepareCreation()
        #expect(try started(try await start().decide(), at: 0).supersedes == ["pod-old"])
    }

    /// The owner may live in another container with the same home. The agent watches its heartbeat and decides.
    @Test("launch run does not supersede an owner that it cannot see")
    func unseenOwner() async throws {
        _ = try await recorded()
        try run.record(try run.claim(pod: "pod-old", process: .elsewhere()))
        prepareCreation()
        #expect(try started(try await start().decide(), at: 0).supersedes == [])
    }

    @Test("launch run refuses another project under the name of a run")
    func otherProject() async throws {
        var spec = try await recorded()
        spec.project = "git:another"
        try run.spec(spec)
        let failure = try await failure(try start())
        #expect(failure.exit == .config)
        #expect(failure.problem.sentence == "run \"demo\" belongs to another project")
    }

    @Test("launch run refuses a run whose live pod is on another volume")
    func otherVolume() async throws {
        var pod = Pod.made(run: run)
        pod.place = .folder("/elsewhere")
        test.provider.add(pod)
        let failure = try await failure(try start())
        #expect(failure.exit == .config)
        #expect(failure.problem.sentence == "\"demo\" is running on another volume, \"/elsewhere\"")
    }

    @Test("launch run ignores a dead pod on another volume")
    func deadPodOnOtherVolume() async throws {
        var pod = Pod.made("pod-old", run: run, isRunning: false)
        pod.place = .folder("/elsewhere")
        test.provider.add(pod)
        prepareCreation()
        _ = try started(try await start().decide(), at: 0)
    }

    @Test("launch run refuses a run that another launch is just starting")
    func lock() async throws {
        let lock = try await FileLock.acquire("\(test.home)/locks/demo", within: .zero)
        var start = try start()
        start.lockTimeout = .milliseconds(1)
        let failure = try await failure(start)
        #expect(failure.exit == .unavailable)
        #expect(failure.problem.sentence == "another launch is just starting \"demo\"")
        lock.release()
        prepareCreation()
        _ = try started(try await start.decide(), at: 0)
    }

    @Test("launch run releases the run's lock after a failure")
    func lockAfterFailure() async throws {
        let failure = try await failure(try start(yaml + "code: {path: ./nothing}\n"))
        #expect(failure.exit == .setupFailed)
        #expect(failure.problem.sentence == "there is no folder \"\(test.home)/project/nothing\"")
        try await FileLock.acquire("\(test.home)/locks/demo", within: .zero).release()
    }

    @Test("launch run shows the output of a pod that ends at once")
    func podEndsAtOnce() async throws {
        test.provider.prepareCreation { [run] _ in .made(run: run, isRunning: false) }
        test.provider.prepareConsole("pod-agent: no space")
        let failure = try await #require(throws: Failure.self) { try await start().decide() }
        #expect(failure.exit == .unavailable)
        #expect(failure.problem.description == "the pod ended at once\nhint: its own output:\npod-agent: no space")
    }

    @Test("launch run succeeds if the run has ended before its agent answered")
    func quickRun() async throws {
        test.provider.prepareCreation { [run] order in
            try run.end(try run.claim(pod: "pod-1", logStart: 9), .finished)
            return .made(run: run, isRunning: false)
        }
        _ = try started(try await start().decide(), at: 9)
    }

    @Test("launch run waits for the agent of a new pod")
    func waits() async throws {
        test.provider.prepareCreation { [run, provider = test.provider] _ in
            provider.atPoll(3) { try run.record(try run.claim()) }
            return .made(run: run, launch: "launch-1")
        }
        _ = try started(try await start().decide(), at: 0)
    }

    @Test("launch run --dry-run shows the config and the request and writes nothing")
    func dryRun() async throws {
        let start = try start(yaml + "code: {path: .}\n")
        let before = try File.list(test.home)
        let text = try await start.preview().text
        #expect(text.hasPrefix("resolved config:\n{\n  \"agentPort\" : 8000,\n  \"command\" : \"python train.py\","))
        #expect(text.hasSuffix("\n}\n\nrequest to provider \"local\":\ncreate demo\n"))
        #expect(try File.list(test.home) == before)
        #expect(test.provider.orders.isEmpty)
    }
}
