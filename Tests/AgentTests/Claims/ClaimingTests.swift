import Foundation
import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// The claim of a run, after each state in which an earlier attempt may have left it.
@Suite struct ClaimingTests {
    private let run: TestRun

    init() throws { run = try TestRun() }

    enum Answer: Equatable {
        case owned(Int)
        case finishing(Int, Outcome)
        case waiting(Int, Outcome)
        case over(Outcome?)

        init(_ result: Claiming.Result) {
            self =
                switch result {
                case .owned(let claim): .owned(claim.number)
                case .finishing(let claim, let outcome): .finishing(claim.number, outcome)
                case .waiting(let claim, let outcome, _): .waiting(claim.number, outcome)
                case .over(let outcome): .over(outcome)
                }
        }
    }

    /// Returns the decision, which must come without waiting for an owner.
    private func decide(
        _ spec: RunSpec? = nil, pod: String = "mine", process: ProcessIdentity? = nil
    ) async throws -> Answer {
        let claiming = Claiming(
            run: run.folders, spec: spec ?? run.spec(), pod: pod, processes: process.map { [$0] } ?? [])
        return try await within(.seconds(20), "a claim") {
            Answer(try await claiming.claim { Issue.record("\($0)") })
        }
    }

    /// A process that is gone, of this boot and this pid namespace.
    private func dead() throws -> ProcessIdentity {
        let process = try TestProcess()
        process.end()
        return process.identity
    }

    // MARK: - without a live owner

    @Test("the first claim of a run is attempt 1, with its log at offset 0")
    func first() async throws {
        try File.removeTree(run.folders.path)
        #expect(try await decide() == .owned(1))
        let claim = try #require(try run.folders.claims().first)
        #expect(claim.number == 1 && claim.pod == "mine" && claim.launch == "L1" && claim.lineage == "L1")
        #expect(claim.logStart == 0 && claim.stream.count == 16)
    }

    @Test("each claim records the offset at which its log begins and a new stream id")
    func logStart() async throws {
        try run.attempt(1, pod: "mine", state: .training)
        try run.log("12345", from: 0, attempt: 1)
        #expect(try await decide() == .owned(2))
        try run.log("678", from: 5, attempt: 2)
        #expect(try await decide() == .owned(3))
        let claims = try run.folders.claims()
        #expect(claims.map(\.logStart) == [0, 5, 8])
        #expect(Set(claims.map(\.stream)).count == 3)
    }

    @Test(
        "a retry that is due is claimed at once, by the waiting agent or by its restarted pod",
        arguments: [true, false])
    func nextTry(isTheSameAgent: Bool) async throws {
        let living = try TestProcess()
        let owner = isTheSameAgent ? living.identity : try dead()
        try run.attempt(1, pod: "mine", process: owner, state: .waiting, outcome: Outcome(.failed, exit: .code(3)))
        #expect(try await decide(process: living.identity) == .owned(2))
    }

    private func next(_ date: Date) throws {
        var record = try #require(try run.folders.readRecord(1))
        record.next = date
        try File.replace(run.folders.recordPath(1), with: try JSON.encode(record))
    }

    @Test(
        "a restarted pod waits only for the rest of the pause before a retry, at most 12 minutes",
        arguments: [(30.0, 30.0), (1e9, 720), (0.5, nil), (-30, nil)] as [(Double, Double?)])
    func restOfPause(_ left: Double, _ rest: Double?) async throws {
        let failed = Outcome(.failed, exit: .code(3))
        try run.attempt(1, pod: "mine", process: dead(), state: .waiting, outcome: failed)
        try next(Date() + left)
        let claiming = Claiming(run: run.folders, spec: run.spec(), pod: "mine", processes: [])
        let result = try await within(.seconds(20), "a claim") { try await claiming.claim { _ in } }
        guard let rest else { return #expect(Answer(result) == .owned(2)) }
        guard case .waiting(let claim, let outcome, let pause) = result else {
            Issue.record("\(result)")
            return
        }
        #expect(claim.number == 2 && outcome == failed)
        #expect(pause.inSeconds <= rest && pause.inSeconds > rest - 20)
    }

    /// The agent has measured the pause with its own clock.
    @Test("an agent that waited for a retry claims it at once, whatever time the record gives")
    func waitedAlready() async throws {
        let living = try TestProcess()
        try run.attempt(1, process: living.identity, state: .waiting, outcome: Outcome(.failed, exit: .code(3)))
        try next(Date() + 30)
        #expect(try await decide(process: living.identity) == .owned(2))
    }

    @Test("another launch claims at once while a retry of an earlier launch is still to come")
    func otherLaunchIgnoresPause() async throws {
        try run.attempt(
            1, launch: "L0", process: dead(), state: .waiting, outcome: Outcome(.failed, exit: .code(3)))
        try next(Date() + 30)
        #expect(try await decide() == .owned(2))
    }

    /// Each `serve` dies at the start of its attempt, with or without a record.
    @Test(
        "a launch is finished after its agent died three times without a new checkpoint, and another launch may claim")
    func agentsThatDie() async throws {
        for number in 1...3 {
            try run.attempt(number, pod: "mine", state: number == 2 ? nil : .training)
            guard number < 3 else { break }
            #expect(try await decide() == .owned(number + 1))
        }
        let reason = "the agent died, or the training failed, 3 times without a new checkpoint"
        let outcome = Outcome(.agentCrash, message: reason)
        #expect(try await decide() == .finishing(4, outcome))
        // The launch ended with that attempt.
        try run.attempt(4, pod: "mine", state: .ended, outcome: outcome)
        #expect(try await decide() == .over(outcome))
        #expect(try await decide(run.spec(launch: "L2")) == .owned(5))
    }

    @Test("a launch continues after dead agents while each attempt brings a new checkpoint")
    func agentsThatProgress() async throws {
        // The later checkpoints are proven because they have the files of this one.
        try run.checkpoint("checkpoint-1")
        try run.prove("checkpoint-1")
        for number in 1...6 {
            try run.attempt(number, pod: "mine", state: .training)
            if number > 1 {
                var record = try #require(try run.folders.readRecord(number))
                record.resumedFrom = CheckpointReference(step: number - 1, path: "c")
                try File.replace(run.folders.recordPath(number), with: try JSON.encode(record))
            }
            if number > 1 { try run.checkpoint("checkpoint-\(number)") }
            #expect(try await decide() == .owned(number + 1))
        }
    }

    @Test("another launch claims a run whose agent died while it waited for a retry")
    func otherLaunchAfterDeath() async throws {
        try run.attempt(1, launch: "L0", process: dead(), state: .waiting, outcome: Outcome(.failed, exit: .code(3)))
        #expect(try await decide() == .owned(2))
    }

    @Test(
        "a launch that ended as out of memory, stalled, over a limit or as an agent crash is over",
        arguments: [OutcomeClass.outOfMemory, .stalled, .overLimit, .agentCrash])
    func givenUp(_ kind: OutcomeClass) async throws {
        try run.attempt(1, pod: "mine", state: .ended, outcome: Outcome(kind))
        #expect(try await decide() == .over(Outcome(kind)))
    }

    @Test("a restarted pod claims the next attempt at once")
    func samePod() async throws {
        try run.attempt(1, pod: "mine", state: .training)
        #expect(try await decide() == .owned(2))
    }

    @Test("a restarted pod claims the next attempt at once when the last one left no record")
    func noRecord() async throws {
        try run.attempt(1, pod: "mine")
        #expect(try await decide() == .owned(2))
    }

    @Test("a claim does not wait for a pod that the launch supersedes")
    func superseded() async throws {
        try run.attempt(1, pod: "lost", state: .training)
        #expect(try await decide(run.spec(launch: "L2", supersedes: ["x", "lost"])) == .owned(2))
    }

    @Test("a claim does not wait for an owner whose process is gone")
    func processGone() async throws {
        try run.attempt(1, process: try dead(), state: .training)
        #expect(try await decide() == .owned(2))
    }

    @Test("a claim does not wait for an owner whose pid belongs to another process now")
    func pidReused() async throws {
        var process = try #require(ProcessIdentity(pid: getppid()))
        process.started -= 1
        try run.attempt(1, process: process, state: .training)
        #expect(try await decide() == .owned(2))
    }

    @Test(
        "a claim does not wait for an owner of an earlier boot",
        .enabled(
            if: (try? File.readLink("/proc/self/ns/pid")) == "pid:[4026531836]"
                && File.status("/etc/machine-id") != nil,
            "in a container the machine's id may be that of the image")
    )
    func otherBoot() async throws {
        var process = try #require(ProcessIdentity(pid: getppid()))
        process.boot = "another"
        try run.attempt(1, process: process, state: .training)
        #expect(try await decide() == .owned(2))
    }

    /// `serve` was restarted by its `init`.
    @Test("a claim does not wait for an owner that ran under this pod's own init")
    func ownInit() async throws {
        let process = try #require(ProcessIdentity(pid: getppid()))
        try run.attempt(1, process: process, state: .training)
        #expect(try await decide(process: process) == .owned(2))
    }

    // MARK: - the outcome of the earlier attempt

    private static let overs: [Outcome] = [
        Outcome(.finished, exit: .code(0)), Outcome(.failed, exit: .code(3)), Outcome(.stopped, exit: .signal(15)),
        Outcome(.setupFailed, message: "no"),
    ]

    @Test("a launch that ended is not run again, and another launch may claim", arguments: overs)
    func ended(_ outcome: Outcome) async throws {
        try run.attempt(1, pod: "mine", state: .ended, outcome: outcome)
        #expect(try await decide() == .over(outcome))
        #expect(try run.folders.claims().count == 1)
        // A new launch may train.
        #expect(try await decide(run.spec(launch: "L2")) == .owned(2))
    }

    @Test("a launch that was interrupted is run again")
    func interrupted() async throws {
        try run.attempt(1, pod: "mine", state: .ended, outcome: Outcome(.interrupted, exit: .code(0)))
        #expect(try await decide() == .owned(2))
    }

    @Test("a claim does not wait for the live process of an ended attempt")
    func endedButAlive() async throws {
        let process = ProcessIdentity(pid: getppid())
        try run.attempt(1, process: process, state: .ended, outcome: Outcome(.interrupted))
        #expect(try await decide() == .owned(2))
    }

    @Test("an interrupted launch is run again although its agent died in finishing")
    func interruptedInFinishing() async throws {
        try run.attempt(1, pod: "mine", state: .finishing, outcome: Outcome(.interrupted))
        #expect(try await decide() == .owned(2))
    }

    @Test("a restarted pod continues the finishing of its own launch, while another launch trains", arguments: overs)
    func finishing(_ outcome: Outcome) async throws {
        try run.attempt(1, pod: "mine", state: .finishing, outcome: outcome)
        #expect(try await decide() == .finishing(2, outcome))
        try run.attempt(2, pod: "mine", state: .finishing, outcome: outcome)
        #expect(try await decide(run.spec(launch: "L2")) == .owned(3))
    }

    /// The stop was recorded before the agent died.
    @Test(
        "a stopped attempt whose agent died is finished and does not train again",
        arguments: [AttemptState.syncing, .installing, .resuming, .training])
    func stopped(_ state: AttemptState) async throws {
        try run.attempt(1, pod: "mine", state: state, outcome: Outcome(.stopped))
        #expect(try await decide() == .finishing(2, Outcome(.stopped)))
    }

    /// The second agent died before or after its first record.
    @Test(
        "a launch whose training ended is still finished when the next agent died too",
        arguments: [nil, AttemptState.claiming])
    func outcomeSurvives(_ state: AttemptState?) async throws {
        for outcome in Self.overs {
            let run = try TestRun()
            try run.attempt(1, pod: "mine", state: .finishing, outcome: outcome)
            let claiming = Claiming(run: run.folders, spec: run.spec(), pod: "mine", processes: [])
            #expect(Answer(try await claiming.claim { _ in }) == .finishing(2, outcome))
            try run.attempt(2, pod: "mine", state: state)
            #expect(Answer(try await claiming.claim { _ in }) == .finishing(3, outcome))
        }
    }

    @Test(
        "an interrupted attempt whose agent died is followed by one that trains",
        arguments: [AttemptState.syncing, .training])
    func interruptedBeforeEnd(_ state: AttemptState) async throws {
        try run.attempt(1, pod: "mine", state: state, outcome: Outcome(.interrupted))
        #expect(try await decide() == .owned(2))
    }

    @Test("a pod whose launch was followed by a newer one claims nothing")
    func newerLaunch() async throws {
        try run.attempt(1, pod: "mine", launch: "L1", state: .training)
        try run.attempt(2, pod: "other", launch: "L2", state: .training)
        #expect(try await decide() == .over(nil))
        #expect(try run.folders.claims().count == 2)
    }

    @Test("a claim of another project's run is refused")
    func otherProject() async throws {
        try File.replace(run.folders.specFile, with: try JSON.encode(run.spec(project: "theirs")))
        let problem = await #expect(throws: Problem.self) { try await decide() }
        #expect(problem?.sentence == #"run "train" belongs to another project"#)
        #expect(try run.folders.claims().isEmpty)
        #expect(try await decide(run.spec(project: "theirs")) == .owned(1))
    }

    @Test("a damaged claim is an error that names its file")
    func damagedClaim() async throws {
        try File.replace(run.folders.claimPath(1), with: [])
        let problem = await #expect(throws: Problem.self) { try await decide() }
        #expect(problem?.sentence.contains("0001.claim\" is damaged") == true)
    }

    @Test(
        "the agent refuses a run folder of another format and changes nothing in it",
        arguments: [(nil, "an older"), (1, "an older"), (3, "a newer")] as [(Int?, String)])
    func otherFormat(_ format: Int?, age: String) async throws {
        let claim = try run.attempt(1, state: .ended, outcome: Outcome(.interrupted))
        try File.replace(run.folders.specFile, with: try JSON.encode(run.spec()))
        let field = format.map { "\"format\":\($0)," } ?? ""
        let text = try JSON.text(claim).replacing("\"format\":2,", with: field)
        try File.replace(run.folders.claimPath(1), with: Array(text.utf8))
        let before = try tree()
        let problem = await #expect(throws: Problem.self) { try await decide() }
        #expect(problem?.sentence == "\"\(run.folders.path)\" was written by \(age) version of launch")
        #expect(problem?.hint == "give this run another \"run\" name, or move that folder away")
        #expect(try tree() == before)
    }

    /// Every path in the run's folder, with its size and time.
    private func tree() throws -> [String: FileStatus] {
        var found: [String: FileStatus] = [:]
        func walk(_ path: String) throws {
            guard let status = File.status(path) else { return }
            found[path] = status
            if status.isFolder { for name in try File.list(path) { try walk("\(path)/\(name)") } }
        }
        try walk(run.folders.path)
        return found
    }

    // MARK: - with a live owner

    /// Starts a claim, and collects the lines that name the owners it waits for.
    private func wait(
        _ spec: RunSpec? = nil, timeout: Duration = .seconds(30)
    ) -> (task: Task<Answer, any Error>, waits: Waits) {
        let waits = Waits()
        var claiming = Claiming(run: run.folders, spec: spec ?? run.spec(), pod: "mine", processes: [])
        claiming.timeout = timeout
        let task = Task { [claiming] in Answer(try await claiming.claim { waits.add($0) }) }
        return (task, waits)
    }

    final class Waits: Sendable {
        private let lines = Mutex<[String]>([])
        var all: [String] { lines.withLock { $0 } }
        func add(_ line: String) { lines.withLock { $0.append(line) } }
    }

    @Test(
        "a claim waits for an owner whose process lives, also between two attempts",
        arguments: [AttemptState.training, .waiting])
    func liveProcess(_ state: AttemptState)
        async throws
    {
        let process = try TestProcess()
        try run.attempt(
            1, pod: "other", process: process.identity, state: state,
            outcome: state == .waiting ? Outcome(.failed, exit: .code(3)) : nil)
        let (task, waits) = wait(timeout: .zero)
        try await eventuallyTrue(within: .seconds(60)) { !waits.all.isEmpty }
        #expect(waits.all == ["waiting for pod other, which owns attempt 1"])
        // Longer than the pause between two scans: a live process needs no heartbeat.
        try await Task.sleep(for: .milliseconds(1500))
        #expect(try run.folders.claims().count == 1)
        process.end()
        #expect(try await within(.seconds(60)) { try await task.value } == .owned(2))
        #expect(waits.all.count == 1)
    }

    /// The heartbeat is a named pipe here, so that each read gets a new one, however long that takes.
    @Test("a claim waits for an owner while its heartbeat changes")
    func changingHeartbeat() async throws {
        try run.attempt(1, pod: "other", state: .training)
        let beat = run.folders.beatPath(1)
        try Errno.check { mkfifo(beat, 0o644) }
        let (task, waits) = wait(timeout: .seconds(2))
        // Reads are a second apart, so six of them take more than twice the timeout.
        for count in 1...6 {
            try await within(.seconds(60), "read \(count)") {
                try await DedicatedThread.run { try File.write(Array("\(count)".utf8), over: beat) }
            }
            #expect(try run.folders.claims().count == 1)
        }
        try File.replace(beat, with: Array("6".utf8))
        #expect(try await within(.seconds(60)) { try await task.value } == .owned(2))
        #expect(waits.all == ["waiting for pod other, which owns attempt 1"])
    }

    @Test("an owner counts as dead when its heartbeat did not change for 30 seconds")
    func defaultTimeout() {
        #expect(Claiming(run: run.folders, spec: run.spec(), pod: "mine", processes: []).timeout == .seconds(30))
    }

    /// Returns the answers of a watch to reads of one unchanged heartbeat, so many seconds after the first read.
    private func answers(to reads: some Sequence<Int>) throws -> [Bool] {
        let start = ContinuousClock.now
        let owner = try run.attempt(1, pod: "other", state: .training)
        var watch = Claiming.Watch(owner: owner, beat: [1], at: start)
        return reads.map { watch.isUnchanged([1], at: start + .seconds($0), for: .seconds(30)) }
    }

    @Test("a heartbeat counts as still only after the whole timeout")
    func stillHeartbeat() throws {
        #expect(try answers(to: 1...30) == [Bool](repeating: false, count: 29) + [true])
        #expect(try answers(to: stride(from: 5, through: 30, by: 5)) == [Bool](repeating: false, count: 5) + [true])
    }

    /// While the volume hangs the owner cannot write its heartbeat either, so that time proves nothing.
    @Test("a gap of more than 5 seconds between two reads of a heartbeat restarts the timeout")
    func hungRead() throws {
        #expect(try answers(to: [1, 101] + (102...131)) == [Bool](repeating: false, count: 31) + [true])
        #expect(try answers(to: stride(from: 6, through: 120, by: 6)).allSatisfy { !$0 })
    }

    @Test("a claim that waits ends as over when the owner finishes the launch")
    func ownerEnds() async throws {
        try run.attempt(1, pod: "other", state: .training)
        let (task, waits) = wait()
        try await eventuallyTrue(within: .seconds(60)) { !waits.all.isEmpty }
        let outcome = Outcome(.finished, exit: .code(0))
        try run.attempt(1, pod: "other", state: .ended, outcome: outcome)
        #expect(try await within(.seconds(60)) { try await task.value } == .over(outcome))
    }

    @Test("a claim that waits also waits for the next owner, but not for one that the launch supersedes")
    func ownerChanges() async throws {
        try run.attempt(1, pod: "other", launch: "L0", state: .training)
        let (task, waits) = wait(run.spec(supersedes: ["third"]))
        try await eventuallyTrue(within: .seconds(60)) { !waits.all.isEmpty }
        try run.attempt(2, pod: "fourth", launch: "L0", state: .training)
        try await eventuallyTrue(within: .seconds(60)) { waits.all.count == 2 }
        #expect(waits.all.last == "waiting for pod fourth, which owns attempt 2")
        try run.attempt(3, pod: "third", state: .training)
        #expect(try await within(.seconds(60)) { try await task.value } == .owned(4))
    }

    // MARK: - several at once

    @Test("twelve agents that claim at the same time get twelve different numbers")
    func simultaneous() async throws {
        let pods = (1...12).map { "pod\($0)" }
        let run = run
        let numbers = try await withThrowingTaskGroup(of: Int.self) { group in
            for pod in pods {
                // Each has a launch of its own, so that none of them is over for another.
                let spec = run.spec(launch: pod, supersedes: pods)
                let claiming = Claiming(run: run.folders, spec: spec, pod: pod, processes: [])
                group.addTask {
                    guard case .owned(let claim) = try await claiming.claim(waiting: { _ in }) else { return 0 }
                    return claim.number
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(numbers.sorted() == Array(1...12))
        #expect(try run.folders.claims().map(\.number) == Array(1...12))
        #expect(try File.list(run.folders.attempts).count == 12, "no staging file is left")
    }
}
