import Shared
import TestSupport
import Testing

@testable import Agent

/// The effects of an attempt, performed without a process.
@Suite struct AttemptRunnerTests {
    private let run: TestRun
    private let processes = FakeProcesses()
    private let posted = Monitor<[Event]>([])

    init() throws { run = try TestRun() }

    private func open(_ change: (inout RunSpec) -> Void = { _ in }) throws -> (AttemptRunner, OpenAttempt) {
        var spec = run.spec()
        change(&spec)
        let attempt = try OpenAttempt.open(
            try run.attempt(2), spec: spec, run: run.folders, volume: VolumeWriter())
        let runner = AttemptRunner(
            attempt, variables: ["PATH": "/usr/bin:/bin"], processes: processes, notifier: Notifier(urls: []),
            followersLeft: { _ in }, post: { [posted] event in posted.update { $0.append(event) } })
        return (runner, attempt)
    }

    private func posts(_ event: Event) async throws {
        try await eventuallyTrue("\(event)") { posted.read { $0 }.contains(event) }
    }

    private func log(_ attempt: OpenAttempt) async throws -> String {
        await attempt.log.sync()
        return try run.log().text
    }

    @Test("the training resumes from the proven checkpoint that the step before chose")
    func resumes() async throws {
        try run.checkpoint("checkpoint-100")
        try run.prove("checkpoint-100")
        let (runner, attempt) = try open { spec in
            spec.command = .exec(["train", "{resume}"])
            spec.resume = .exec(["--from", "{checkpoint}"])
        }
        runner.perform(.setUp(.resuming), in: .at(.resuming), at: .now)
        try await posts(.resumeChosen)
        let path = "\(run.folders.work)/out/checkpoint-100"
        #expect(attempt.journal.current.resumedFrom?.path == path)
        runner.perform(.train, in: .at(.training), at: .now)
        processes.end(.code(3))
        try await posts(.trainingEnded(.code(3)))
        #expect(processes.calls == [.train(["train", "--from", path])])
        #expect(try await log(attempt).contains("RESUMING FROM: \(path)\n"))
    }

    @Test("a preflight makes the work tree and fails if the work tree is a file")
    func preflight() async throws {
        let (runner, _) = try open()
        try File.removeTree(run.folders.work)
        runner.perform(.setUp(.preflight), in: .at(.preflight), at: .now)
        try await posts(.checked)
        #expect(try File.list(run.folders.work).isEmpty)
        try File.removeTree(run.folders.work)
        try File.replace(run.folders.work, with: [])
        runner.perform(.setUp(.preflight), in: .at(.preflight), at: .now)
        try await eventuallyTrue("setupFailed") { posted.read { $0.last?.name } == "setupFailed" }
    }

    @Test("a training that runs out of memory is reported before its end")
    func outOfMemory() async throws {
        let (runner, _) = try open()
        processes.tail.append(Array("Traceback (most recent call last):\nMemoryError\n".utf8)[...])
        runner.perform(.train, in: .at(.training), at: .now)
        processes.end(.code(1))
        try await posts(.trainingEnded(.code(1)))
        #expect(posted.read { $0 } == [.outOfMemory, .trainingEnded(.code(1))])
    }

    @Test("the record shows the request for the end, each signal, and when the training was gone")
    func teardownReport() async throws {
        let (runner, attempt) = try open()
        runner.perform(.tearDown(.fast), in: RunState(.claimed, .terminated), at: .now - .seconds(1))
        #expect(processes.calls == [.tearDown(.fast)])
        processes.report(Teardown.fast.steps[0], processes: 2)
        runner.perform(
            .finishAttempt(gracefully: false),
            in: RunState(.claimed, .terminated, .setupFailed("called off")), at: .now)
        try await posts(.attemptFinished(nil))
        let report = try #require(attempt.journal.current.death?.teardown)
        #expect(report.startedAfter >= 1 && report.startedAfter < 60)
        #expect(report.signals.map(\.processes) == [2])
        #expect(try #require(report.goneAfter) >= 1)
        #expect(processes.calls.last == .drain(gracefully: false))
    }

    @Test("the processes that a finished training left are ended without a teardown report")
    func silentTeardown() async throws {
        let (runner, attempt) = try open()
        runner.perform(.tearDown(.immediate), in: .at(.finishing), at: .now)
        #expect(processes.calls == [.tearDown(.immediate)])
        #expect(attempt.journal.current.death == nil)
    }

    @Test("the stall of a training is in the record and in the log")
    func capturesStall() async throws {
        let (runner, attempt) = try open()
        runner.perform(.captureStall, in: RunState.at(.training), at: .now)
        try await posts(.stallCaptured)
        #expect(attempt.journal.current.death?.stall == ["pid 1 state S: train"])
        #expect(try await log(attempt).contains("STALLED: the processes as seen from outside:\npid 1 state S: train\n"))
    }

    @Test("the pause before a retry is recorded and ends with an event")
    func pauses() async throws {
        let (runner, attempt) = try open()
        runner.perform(.pause(.milliseconds(10)), in: .at(.waiting), at: .now)
        try await posts(.pauseOver)
        #expect(attempt.journal.current.next != nil)
        #expect(try await log(attempt).contains("RETRY: attempt 3 in 0 s\n"))
    }

    @Test("a failed training gets the verdict of the retry rule, and EXIT_CODE is the last line of the log")
    func finishes() async throws {
        let (runner, attempt) = try open { $0.retry = RetryPolicy(crash: 0) }
        let state = RunState(.claimed, .checked, .synced, .installed, .resumeChosen, .trainingEnded(.code(3)))
        for state in [.at(.training), state] { runner.perform(.record, in: state, at: .now) }
        runner.perform(.finishAttempt(gracefully: true), in: state, at: .now)
        try await eventuallyTrue("the verdict") { !posted.read(\.isEmpty) }
        #expect(posted.read { $0 } == [.attemptFinished(.enough("it failed without a new checkpoint"))])
        #expect(try await log(attempt).hasSuffix("\nEXIT_CODE=3\n"))
        #expect(try run.folders.readRecord(2)?.outcome == Outcome(.failed, exit: .code(3)))
    }

    @Test("the pod may be deleted only after the end is published")
    func podEnd() async throws {
        let (runner, _) = try open()
        #expect(runner.podEnd(by: .terminate) == .stop)
        runner.perform(.publish(gracefully: false), in: .at(.ended), at: .now)
        try await posts(.published)
        #expect(runner.podEnd(by: .terminate) == .terminate)
        #expect(runner.podEnd(by: .stop) == .stop)
    }

    @Test("a limit that earlier attempts used up ends the attempt at once")
    func limits() async throws {
        let (runner, _) = try open { $0.limits.duration = .zero }
        runner.start()
        #expect(posted.read { $0 } == [.overLimit("all attempts together took limits.duration, 0 s")])
        _ = runner.retire()
    }
}
