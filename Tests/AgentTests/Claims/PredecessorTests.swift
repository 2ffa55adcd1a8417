import Foundation
import Shared
import Testing

@testable import Agent

@Suite struct PredecessorTests {
    private let run: TestRun
    private static let beaten = Date(timeIntervalSince1970: 1_800_000_060)

    init() throws { run = try TestRun() }

    private func beat(_ attempt: Int, seconds: Double, step: Double?) throws {
        let beat = Beat(count: 12, at: Self.beaten, seconds: seconds, step: step)
        try File.write(try JSON.encode(beat) + [0x20, 0x20], over: run.folders.beatPath(attempt))
    }

    private func close(before number: Int) throws {
        try Predecessor.close(before: try run.attempt(number), in: run.folders, spec: run.spec())
    }

    private func spending(before number: Int) throws -> Spending {
        try run.folders.spending(of: try run.folders.claims().filter { $0.number < number })
    }

    private func change(_ attempt: Int, _ body: (inout AttemptRecord) -> Void) throws {
        var record = try #require(try run.folders.readRecord(attempt))
        body(&record)
        try File.replace(run.folders.recordPath(attempt), with: try JSON.encode(record))
    }

    @Test(
        "a dead attempt is closed as an agent crash, with the step and the seconds of its last heartbeat",
        arguments: [AttemptState.claiming, .syncing, .installing, .resuming, .training])
    func closed(_ state: AttemptState) throws {
        try run.attempt(1, state: state)
        try beat(1, seconds: 55.5, step: 120)
        try close(before: 2)
        let record = try #require(try run.folders.readRecord(1))
        #expect(record.state == .ended)
        #expect(record.outcome == Outcome(.agentCrash, message: "the agent died while it was \(state.rawValue)"))
        #expect(record.step == 120)
        #expect(record.seconds == 55.5)
        #expect(record.phases.last == .init(state: .ended, began: Self.beaten))
    }

    @Test("a dead attempt that had an outcome is closed with that outcome")
    func keepsOutcome() throws {
        try run.attempt(1, state: .finishing, outcome: Outcome(.failed, exit: .code(3)))
        try close(before: 2)
        let record = try #require(try run.folders.readRecord(1))
        #expect(record.state == .ended)
        #expect(record.outcome == Outcome(.failed, exit: .code(3)))
        // Without a heartbeat it ended when the next attempt was claimed.
        #expect(record.phases.last?.began == Date(timeIntervalSince1970: 1_800_000_000))
        #expect(record.step == nil)
    }

    @Test(
        "closing dead attempts does not change the record of an ended or waiting one",
        arguments: [AttemptState.ended, .waiting])
    func overStays(_ state: AttemptState) throws {
        try run.attempt(1, state: state, outcome: Outcome(.failed, exit: .code(3)))
        try beat(1, seconds: 55.5, step: 120)
        let before = try File.read(run.folders.recordPath(1))
        try close(before: 2)
        #expect(try File.read(run.folders.recordPath(1)) == before)
    }

    /// An agent may die before it has closed the attempt before its own.
    @Test("all dead attempts before a claim are closed, and none after it")
    func allBefore() throws {
        for number in 1...4 { try run.attempt(number, state: .training) }
        try close(before: 3)
        #expect(try (1...4).map { try run.folders.readRecord($0)?.state } == [.ended, .ended, .training, .training])
    }

    @Test("an attempt without a record gets none when it is closed")
    func nothingToClose() throws {
        try close(before: 1)
        try run.attempt(1)
        try close(before: 2)
        #expect(try run.folders.readRecord(1) == nil)
    }

    @Test("a heartbeat that was cut off counts as none")
    func cutOffHeartbeat() throws {
        try run.attempt(1, state: .training)
        try File.write(Array(#"{"count":3,"#.utf8), over: run.folders.beatPath(1))
        try close(before: 2)
        #expect(try run.folders.readRecord(1)?.outcome?.kind == .agentCrash)
        #expect(try spending(before: 2) == Spending())
    }

    @Test("the time that a run has used is the sum over its earlier attempts, by record or heartbeat")
    func secondsSpent() throws {
        try run.attempt(1, state: .ended)
        try change(1) { $0.lasted(100) }
        try beat(1, seconds: 95, step: nil)
        try run.attempt(2, state: .training)
        try beat(2, seconds: 20.5, step: nil)
        try run.attempt(3)
        try run.attempt(4)
        try beat(4, seconds: 1000, step: nil)
        #expect(try spending(before: 4) == Spending(seconds: 120.5))
        #expect(try spending(before: 1) == Spending())
    }

    @Test("an opened attempt counts the time that the dead one before it spent")
    func openedAttempt() throws {
        try run.attempt(1, state: .training)
        try beat(1, seconds: 20, step: 7)
        let claim = try run.attempt(2)
        let work = try OpenAttempt.open(claim, spec: run.spec(), run: run.folders, volume: VolumeWriter())
        #expect(work.spentBefore == Spending(seconds: 20))
    }

    /// The retry rule needs the count, which the dead agent could not make.
    @Test("the checkpoints of a dead training are counted in its record")
    func countsCheckpoints() throws {
        try run.attempt(1, state: .training)
        try run.checkpoint("checkpoint-10")
        try run.checkpoint("checkpoint-20")
        try close(before: 2)
        let found = try #require(try run.folders.readRecord(1)?.checkpoints)
        #expect(found.count == 2 && found.newest?.step == 20)
    }

    @Test(
        "no checkpoints are counted for a dead attempt that never trained",
        arguments: [AttemptState.claiming, .syncing, .installing, .resuming])
    func countsOnlyTraining(_ state: AttemptState) throws {
        try run.attempt(1, state: state)
        try run.checkpoint("checkpoint-10")
        try close(before: 2)
        #expect(try run.folders.readRecord(1)?.checkpoints == nil)
    }

    /// For example `init` ended its agent at the deadline.
    @Test("an interrupted attempt without a recorded end is closed with a message that says so")
    func interruptedWithoutEnd() throws {
        try run.attempt(1, state: .training, outcome: Outcome(.interrupted))
        try close(before: 2)
        #expect(
            try run.folders.readRecord(1)?.outcome
                == Outcome(.interrupted, message: "the agent was gone before the training's end was on record"))
    }

    @Test("the attempts of a launch include one without a record, as an agent crash")
    func attemptsOfLaunch() throws {
        try run.attempt(1, launch: "L0", state: .ended, outcome: Outcome(.stopped))
        try run.attempt(2, state: .ended, outcome: Outcome(.failed))
        try run.attempt(3)
        let claim = try run.attempt(4)
        let attempts = try Predecessor.attempts(before: claim, of: run.spec(), in: run.folders)
        #expect(attempts.map(\.number) == [2, 3])
        #expect(attempts.map(\.outcome?.kind) == [.failed, .agentCrash])
    }

    /// The seconds in a record are those at its last change of state.
    @Test("a dead attempt lasted and cost until its last heartbeat")
    func lastedUntilHeartbeat() throws {
        try run.attempt(1, state: .training)
        try change(1) {
            $0.bill = Bill(price: 3.6, billedBefore: 10)
            $0.lasted(2)
        }
        try beat(1, seconds: 990, step: nil)
        #expect(try spending(before: 2) == Spending(seconds: 990, cost: 1))
        try close(before: 2)
        let record = try #require(try run.folders.readRecord(1))
        #expect(record.seconds == 990)
        #expect(record.cost == 1)
        // A heartbeat counts no more once the record is closed.
        try beat(1, seconds: 1990, step: nil)
        #expect(try spending(before: 2) == Spending(seconds: 990, cost: 1))
    }

    @Test("the cost of a run is the sum over pods of different prices")
    func prices() throws {
        for (number, price) in [(1, 1.0), (2, 2.5)] {
            try run.attempt(number, pod: "pod-\(number)", state: .ended)
            try change(number) {
                $0.bill = Bill(price: price, billedBefore: 1800)
                $0.lasted(1800)
            }
        }
        try run.attempt(3, state: .ended)
        try change(3) { $0.lasted(50) }
        #expect(try spending(before: 4) == Spending(seconds: 3650, cost: 3.5))
    }

    // MARK: - the time from which a pod is billed

    private static let claimed = Date(timeIntervalSince1970: 1_800_000_000)

    private func bill(_ number: Int, pod: String, launch: String, claimed: Date, bought: Date?) throws -> Bill? {
        var claim = try run.attempt(number, pod: pod, launch: launch)
        claim.claimed = claimed
        return try Predecessor.bill(
            for: claim, LaunchOrder(id: launch, price: 2, bought: bought), after: try run.folders.claims(),
            in: run.folders)
    }

    @Test("the first attempt of a pod is billed from the pod's purchase")
    func billedFromPurchase() throws {
        try run.attempt(1, pod: "a", state: .ended)
        let bought = Self.claimed - 90
        #expect(
            try bill(2, pod: "b", launch: "L1", claimed: Self.claimed, bought: bought)
                == Bill(price: 2, billedBefore: 90))
        // The same pod, stopped and started by another launch.
        #expect(
            try bill(2, pod: "a", launch: "L2", claimed: Self.claimed, bought: bought)
                == Bill(price: 2, billedBefore: 90))
        #expect(
            try bill(2, pod: "b", launch: "L1", claimed: Self.claimed, bought: nil) == Bill(price: 2, billedBefore: 0))
        // The laptop's clock is ahead.
        #expect(
            try bill(2, pod: "b", launch: "L1", claimed: Self.claimed, bought: Self.claimed + 5)
                == Bill(price: 2, billedBefore: 0))
    }

    /// The pod is also paid for in pauses and while its container restarts.
    @Test("a later attempt of a pod is billed from the end of the last billed one")
    func billedFromLastAttempt() throws {
        try run.attempt(1, pod: "a", launch: "L1", state: .waiting)
        try change(1) {
            $0.bill = Bill(price: 2, billedBefore: 90)
            $0.lasted(100)
        }
        // It died before it wrote a record, and has no bill.
        try run.attempt(2, pod: "a", launch: "L1")
        try beat(2, seconds: 5, step: nil)
        #expect(
            try bill(3, pod: "a", launch: "L1", claimed: Self.claimed + 160, bought: Self.claimed - 90)
                == Bill(price: 2, billedBefore: 60))
    }

    @Test("a pod without a price has no bill and no cost")
    func withoutPrice() throws {
        let claim = try run.attempt(1)
        #expect(try Predecessor.bill(for: claim, LaunchOrder(id: "L1"), after: [claim], in: run.folders) == nil)
        #expect(try spending(before: 2).cost == nil)
    }

    @Test("an opened attempt has its bill, and its status shows the cost")
    func openedBill() throws {
        let claim = try run.attempt(1)
        var spec = run.spec()
        spec.launch.price = 3600
        spec.launch.bought = claim.claimed - 7
        let work = try OpenAttempt.open(claim, spec: spec, run: run.folders, volume: VolumeWriter())
        #expect(work.journal.current.bill == Bill(price: 3600, billedBefore: 7))
        // A dollar a second, and 7 seconds before the attempt began.
        let cost = try #require(work.status.attempt.cost)
        #expect(cost >= 7 && cost < 60)
    }
}
