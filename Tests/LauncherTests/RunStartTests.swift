import HTTPClient
import Shared
import Synchronization
import Testing

@testable import Launcher

/// What `launch run` decides, in every state that a run can be in.
@Suite(.timeLimit(.minutes(1))) struct RunStartTests {
    private let test: TestWorld
    private let run: RunFixture
    private let yaml = "run: demo\ncommand: python train.py\n"

    init() throws {
        let volume = Mutex<RunFolder?>(nil)
        // The agent of any pod: it tells of the newest attempt.
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

    /// What an agent writes down that was started with the config as it is.
    private func recorded(_ yaml: String? = nil) async throws -> RunSpec {
        let config = try test.config(yaml ?? self.yaml)
        let spec = config.spec(
            project: try await ProjectFingerprint.of(folder: config.folder), code: nil,
            volume: test.provider.volume.root,
            launch: LaunchOrder(id: "launch-1"))
        try run.spec(spec)
        return spec
    }

    /// Pods whose agents claim the run at once, from byte `offset` of the log on.
    private func prepareCreation(logStart: Int = 0) {
        test.provider.prepareCreation { [run] order in
            let number = (try run.folder.claims().last?.number ?? 0) + 1
            let pod = "pod-\(order.spec.launch.id)"
            try run.record(try run.claim(number, pod: pod, launch: order.spec.launch.id, logStart: logStart))
            return .made(pod, run: run, launch: order.spec.launch.id)
        }
    }

    /// The first order, after a decision to start at `offset`.
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

    @Test func startsWhereThereIsNoRun() async throws {
        prepareCreation()
        let launch = try started(try await start().decide(), at: 0)
        #expect(launch.supersedes == [] && !launch.force)
        #expect(launch.id.count == 12)
        let spec = try #require(test.provider.orders.first).spec
        #expect(spec.volume == test.provider.volume.root)
        #expect(spec.project.hasPrefix("folder:"))
    }

    @Test func tellsThePodWhomToNotify() async throws {
        prepareCreation()
        let plain = try start()
        var config = plain.config
        config.notify = ["https://example.com/secret"]
        _ = try await RunStart(config: config, isForced: false, world: plain.world).decide()
        #expect(test.provider.orders.first?.notify == ["https://example.com/secret"])
    }

    @Test func everyLaunchHasAnIDOfItsOwn() async throws {
        prepareCreation()
        _ = try await start().decide()
        let first = try #require(test.provider.orders.first).spec.launch.id
        try run.end(try #require(try run.folder.claims().last), Outcome(.stopped))
        test.provider.kill("pod-\(first)")
        _ = try await start().decide()
        #expect(test.provider.orders.count == 2)
        #expect(Set(test.provider.orders.map(\.spec.launch.id)).count == 2)
    }

    @Test func attachesToTheSameSpec() async throws {
        _ = try await recorded()
        try run.record(try run.claim())
        test.provider.add(.made(run: run))
        guard case .attach(let view) = try await start().decide() else { throw FakeProvider.Unprepared() }
        #expect(view.state == .active(.training))
        #expect(test.provider.orders.isEmpty)
    }

    @Test func refusesAnotherSpecAndShowsTheDifference() async throws {
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

    @Test func refusesToRestartWhatLives() async throws {
        _ = try await recorded()
        try run.record(try run.claim())
        test.provider.add(.made(run: run))
        let failure = try await failure(try start(force: true))
        #expect(failure.exit == .config)
        #expect(failure.problem.sentence == "\"demo\" is training, it cannot be restarted")
    }

    @Test func startsNothingForWhatHasFinished() async throws {
        let spec = try await recorded()
        try run.end(try run.claim(), .finished, spec: try spec.fingerprint)
        guard case .finished(let view) = try await start().decide() else { throw FakeProvider.Unprepared() }
        #expect(view.state == .ended(.finished))
        #expect(test.provider.orders.isEmpty)
    }

    @Test func forceStartsWhatHasFinished() async throws {
        let spec = try await recorded()
        try run.end(try run.claim(), .finished, spec: try spec.fingerprint)
        prepareCreation()
        #expect(try started(try await start(force: true).decide(), at: 0).force)
    }

    @Test(arguments: [
        "run: demo\ncommand: python train.py --epochs 9\n", "run: demo\ncommand: [python, train.py]\n",
        "run: demo\ncommand: python train.py\nworkdir: sub\n",
    ]) func trainsOnWithAnotherConfig(yaml: String) async throws {
        let spec = try await recorded()
        try run.end(try run.claim(), .finished, spec: try spec.fingerprint)
        prepareCreation(logStart: 77)
        _ = try started(try await start(yaml).decide(), at: 77)
    }

    @Test func trainsOnWithOtherCode() async throws {
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

    @Test(arguments: [
        Outcome(.failed, exit: .code(1)), Outcome(.failed, exit: .signal(9)), Outcome(.interrupted), Outcome(.stopped),
        Outcome(.setupFailed, message: "no code"),
    ]) func startsAgainAfter(outcome: Outcome) async throws {
        let spec = try await recorded()
        try run.end(try run.claim(), outcome, spec: try spec.fingerprint)
        prepareCreation(logStart: 5)
        _ = try started(try await start().decide(), at: 5)
    }

    @Test func supersedesAnOwnerThatIsProvenDead() async throws {
        _ = try await recorded()
        try run.record(try run.claim(pod: "pod-old", process: .dead()))
        prepareCreation()
        #expect(try started(try await start().decide(), at: 0).supersedes == ["pod-old"])
    }

    /// It may live in another container that shares this home; the agent watches its heartbeat and decides.
    @Test func doesNotSupersedeAnOwnerThatItCannotSee() async throws {
        _ = try await recorded()
        try run.record(try run.claim(pod: "pod-old", process: .elsewhere()))
        prepareCreation()
        #expect(try started(try await start().decide(), at: 0).supersedes == [])
    }

    @Test func refusesAnotherProjectUnderTheSameName() async throws {
        var spec = try await recorded()
        spec.project = "git:another"
        try run.spec(spec)
        let failure = try await failure(try start())
        #expect(failure.exit == .config)
        #expect(failure.problem.sentence == "run \"demo\" belongs to another project")
    }

    @Test func refusesAPodOnAnotherVolume() async throws {
        var pod = Pod.made(run: run)
        pod.place = .folder("/elsewhere")
        test.provider.add(pod)
        let failure = try await failure(try start())
        #expect(failure.exit == .config)
        #expect(failure.problem.sentence == "\"demo\" is running on another volume, \"/elsewhere\"")
    }

    @Test func aDeadPodOnAnotherVolumeIsNoObstacle() async throws {
        var pod = Pod.made("pod-old", run: run, isRunning: false)
        pod.place = .folder("/elsewhere")
        test.provider.add(pod)
        prepareCreation()
        _ = try started(try await start().decide(), at: 0)
    }

    @Test func refusesWhileAnotherLaunchIsAtIt() async throws {
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

    @Test func theLockIsGoneAfterAFailure() async throws {
        let failure = try await failure(try start(yaml + "code: {path: ./nothing}\n"))
        #expect(failure.exit == .setupFailed)
        #expect(failure.problem.sentence == "there is no folder \"\(test.home)/project/nothing\"")
        try await FileLock.acquire("\(test.home)/locks/demo", within: .zero).release()
    }

    @Test func aPodThatEndsAtOnceShowsItsOutput() async throws {
        test.provider.prepareCreation { [run] _ in .made(run: run, isRunning: false) }
        test.provider.prepareConsole("pod-agent: no space")
        let failure = try await #require(throws: Failure.self) { try await start().decide() }
        #expect(failure.exit == .unavailable)
        #expect(failure.problem.description == "the pod ended at once\nhint: its own output:\npod-agent: no space")
    }

    @Test func aRunThatIsOverBeforeItsAgentAnsweredHasStarted() async throws {
        test.provider.prepareCreation { [run] order in
            try run.end(try run.claim(pod: "pod-1", logStart: 9), .finished)
            return .made(run: run, isRunning: false)
        }
        _ = try started(try await start().decide(), at: 9)
    }

    @Test func waitsForTheAgentOfANewPod() async throws {
        test.provider.prepareCreation { [run, provider = test.provider] _ in
            provider.atPoll(3) { try run.record(try run.claim()) }
            return .made(run: run, launch: "launch-1")
        }
        _ = try started(try await start().decide(), at: 0)
    }

    @Test func aDryRunTouchesNothing() async throws {
        let start = try start(yaml + "code: {path: .}\n")
        let before = try File.list(test.home)
        let text = try await start.preview().text
        #expect(text.hasPrefix("resolved config:\n{\n  \"agentPort\" : 8000,\n  \"command\" : \"python train.py\","))
        #expect(text.hasSuffix("\n}\n\nrequest to provider \"local\":\ncreate demo\n"))
        #expect(try File.list(test.home) == before)
        #expect(test.provider.orders.isEmpty)
    }
}
