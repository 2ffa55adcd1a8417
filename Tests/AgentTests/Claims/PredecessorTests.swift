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

    @Test(arguments: [AttemptState.claiming, .syncing, .installing, .resuming, .training])
    func aDeadAttemptIsClosed(_ state: AttemptState) throws {
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

    /// How its training ended was known already.
    @Test func theOutcomeStays() throws {
        try run.attempt(1, state: .finishing, outcome: Outcome(.failed, exit: .code(3)))
        try close(before: 2)
        let record = try #require(try run.folders.readRecord(1))
        #expect(record.state == .ended)
        #expect(record.outcome == Outcome(.failed, exit: .code(3)))
        // No beat: it is as old as the claim that follows.
        #expect(record.phases.last?.began == Date(timeIntervalSince1970: 1_800_000_000))
        #expect(record.step == nil)
    }

    @Test(arguments: [AttemptState.ended, .waiting]) func whatIsOverStaysAsItIs(_ state: AttemptState) throws {
        try run.attempt(1, state: state, outcome: Outcome(.failed, exit: .code(3)))
        try beat(1, seconds: 55.5, step: 120)
        let before = try File.read(run.folders.recordPath(1))
        try close(before: 2)
        #expect(try File.read(run.folders.recordPath(1)) == before)
    }

    /// The one before may have died before it came to that.
    @Test func allBeforeButNoneAfter() throws {
        for number in 1...4 { try run.attempt(number, state: .training) }
        try close(before: 3)
        #expect(try (1...4).map { try run.folders.readRecord($0)?.state } == [.ended, .ended, .training, .training])
    }

    @Test func noneOrOneWithoutARecord() throws {
        try close(before: 1)
        try run.attempt(1)
        try close(before: 2)
        #expect(try run.folders.readRecord(1) == nil)
    }

    @Test func aBeatThatWasCutOffIsNone() throws {
        try run.attempt(1, state: .training)
        try File.write(Array(#"{"count":3,"#.utf8), over: run.folders.beatPath(1))
        try close(before: 2)
        #expect(try run.folders.readRecord(1)?.outcome?.kind == .agentCrash)
        #expect(try spending(before: 2) == Spending())
    }

    @Test func theSecondsOfAllBefore() throws {
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

    @Test func openingAnAttemptCountsTheOneBefore() throws {
        try run.attempt(1, state: .training)
        try beat(1, seconds: 20, step: 7)
        let claim = try run.attempt(2)
        let work = try OpenAttempt.open(claim, spec: run.spec(), run: run.folders, volume: VolumeWriter())
        #expect(work.spentBefore == Spending(seconds: 20))
    }

    /// What a dead agent could not count any more decides whether there was progress.
    @Test func itsCheckpointsAreCounted() throws {
        try run.attempt(1, state: .training)
        try run.checkpoint("checkpoint-10")
        try run.checkpoint("checkpoint-20")
        try close(before: 2)
        let found = try #require(try run.folders.readRecord(1)?.checkpoints)
        #expect(found.count == 2 && found.newest?.step == 20)
    }

    /// Whose training never ran has saved none of them.
    @Test(arguments: [AttemptState.claiming, .syncing, .installing, .resuming])
    func othersAreNot(_ state: AttemptState) throws {
        try run.attempt(1, state: state)
        try run.checkpoint("checkpoint-10")
        try close(before: 2)
        #expect(try run.folders.readRecord(1)?.checkpoints == nil)
    }

    /// `init` ended its agent at the deadline, say.
    @Test func whatWasToldToEndAndLeftNoEndSaysSo() throws {
        try run.attempt(1, state: .training, outcome: Outcome(.interrupted))
        try close(before: 2)
        #expect(
            try run.folders.readRecord(1)?.outcome
                == Outcome(.interrupted, message: "the agent was gone before the training's end was on record"))
    }

    @Test func theAttemptsOfTheLaunchAndThoseWithoutARecord() throws {
        try run.attempt(1, launch: "L0", state: .ended, outcome: Outcome(.stopped))
        try run.attempt(2, state: .ended, outcome: Outcome(.failed))
        try run.attempt(3)
        let claim = try run.attempt(4)
        let attempts = try Predecessor.attempts(before: claim, of: run.id, in: run.folders)
        #expect(attempts.map(\.number) == [2, 3])
        #expect(attempts.map(\.outcome?.kind) == [.failed, .agentCrash])
    }

    /// What a live record says of itself is as old as its last change of state.
    @Test func aDeadAttemptLastedUntilItsLastBeat() throws {
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
        // Beats that a dying agent still wrote are older than its word.
        try beat(1, seconds: 1990, step: nil)
        #expect(try spending(before: 2) == Spending(seconds: 990, cost: 1))
    }

    @Test func podsOfDifferentPrices() throws {
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

    // MARK: - since when the pod costs

    private static let claimed = Date(timeIntervalSince1970: 1_800_000_000)

    private func bill(_ number: Int, pod: String, launch: String, claimed: Date, bought: Date?) throws -> Bill? {
        var claim = try run.attempt(number, pod: pod, launch: launch)
        claim.claimed = claimed
        return try Predecessor.bill(
            for: claim, LaunchOrder(id: launch, price: 2, bought: bought), after: try run.folders.claims(),
            in: run.folders)
    }

    @Test func theFirstAttemptOfAPodPaysSinceItWasBought() throws {
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
        // The clock of the laptop is ahead.
        #expect(
            try bill(2, pod: "b", launch: "L1", claimed: Self.claimed, bought: Self.claimed + 5)
                == Bill(price: 2, billedBefore: 0))
    }

    /// Pauses between two attempts, and the time that a container takes to start again, are paid for too.
    @Test func theNextAttemptOfAPodPaysSinceTheOneBefore() throws {
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

    @Test func withoutAPriceThereIsNoBill() throws {
        let claim = try run.attempt(1)
        #expect(try Predecessor.bill(for: claim, LaunchOrder(id: "L1"), after: [claim], in: run.folders) == nil)
        #expect(try spending(before: 2).cost == nil)
    }

    @Test func anAttemptHasItsBill() throws {
        let claim = try run.attempt(1)
        var spec = run.spec()
        spec.launch.price = 3600
        spec.launch.bought = claim.claimed - 7
        let work = try OpenAttempt.open(claim, spec: spec, run: run.folders, volume: VolumeWriter())
        #expect(work.journal.current.bill == Bill(price: 3600, billedBefore: 7))
        // A dollar a second, of which 7 before it began.
        let cost = try #require(work.status.attempt.cost)
        #expect(cost >= 7 && cost < 60)
    }
}
