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
        try File.write(try JSON.encode(beat) + [0x20, 0x20], over: run.folders.beat(attempt))
    }

    private func close(before number: Int) throws {
        try Predecessor.close(before: try run.attempt(number), in: run.folders, spec: run.spec())
    }

    private func seconds(before number: Int) throws -> Double {
        let claims = try run.folders.claims()
        let claim = try #require(claims.first { $0.number == number })
        return try Predecessor.seconds(before: claim, claims, in: run.folders)
    }

    @Test(arguments: [AttemptState.claiming, .syncing, .installing, .resuming, .training])
    func aDeadAttemptIsClosed(_ state: AttemptState) throws {
        try run.attempt(1, state: state)
        try beat(1, seconds: 55.5, step: 120)
        try close(before: 2)
        let record = try #require(try run.folders.attempt(1))
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
        let record = try #require(try run.folders.attempt(1))
        #expect(record.state == .ended)
        #expect(record.outcome == Outcome(.failed, exit: .code(3)))
        // No beat: it is as old as the claim that follows.
        #expect(record.phases.last?.began == Date(timeIntervalSince1970: 1_800_000_000))
        #expect(record.step == nil)
    }

    @Test(arguments: [AttemptState.ended, .waiting]) func whatIsOverStaysAsItIs(_ state: AttemptState) throws {
        try run.attempt(1, state: state, outcome: Outcome(.failed, exit: .code(3)))
        try beat(1, seconds: 55.5, step: 120)
        let before = try File.read(run.folders.record(of: 1))
        try close(before: 2)
        #expect(try File.read(run.folders.record(of: 1)) == before)
    }

    /// The one before may have died before it came to that.
    @Test func allBeforeButNoneAfter() throws {
        for number in 1...4 { try run.attempt(number, state: .training) }
        try close(before: 3)
        #expect(try (1...4).map { try run.folders.attempt($0)?.state } == [.ended, .ended, .training, .training])
    }

    @Test func noneOrOneWithoutARecord() throws {
        try close(before: 1)
        try run.attempt(1)
        try close(before: 2)
        #expect(try run.folders.attempt(1) == nil)
    }

    @Test func aBeatThatWasCutOffIsNone() throws {
        try run.attempt(1, state: .training)
        try File.write(Array(#"{"count":3,"#.utf8), over: run.folders.beat(1))
        try close(before: 2)
        #expect(try run.folders.attempt(1)?.outcome?.kind == .agentCrash)
        #expect(try seconds(before: 2) == 0)
    }

    @Test func theSecondsOfAllBefore() throws {
        try run.attempt(1, state: .ended)
        var record = try #require(try run.folders.attempt(1))
        record.seconds = 100
        try File.replace(run.folders.record(of: 1), with: try JSON.encode(record))
        try beat(1, seconds: 95, step: nil)
        try run.attempt(2, state: .training)
        try beat(2, seconds: 20.5, step: nil)
        try run.attempt(3)
        try run.attempt(4)
        try beat(4, seconds: 1000, step: nil)
        #expect(try seconds(before: 4) == 120.5)
        #expect(try seconds(before: 1) == 0)
    }

    @Test func openingAnAttemptCountsTheOneBefore() throws {
        try run.attempt(1, state: .training)
        try beat(1, seconds: 20, step: 7)
        let claim = try run.attempt(2)
        let work = try Work.open(claim, spec: run.spec(), run: run.folders, volume: VolumeWriter())
        #expect(work.secondsBefore == 20)
    }

    /// What a dead agent could not count any more decides whether there was progress.
    @Test func itsCheckpointsAreCounted() throws {
        try run.attempt(1, state: .training)
        try run.checkpoint("checkpoint-10")
        try run.checkpoint("checkpoint-20")
        try close(before: 2)
        let found = try #require(try run.folders.attempt(1)?.checkpoints)
        #expect(found.count == 2 && found.newest?.step == 20)
    }

    /// Whose training never ran has saved none of them.
    @Test(arguments: [AttemptState.claiming, .syncing, .installing, .resuming])
    func othersAreNot(_ state: AttemptState) throws {
        try run.attempt(1, state: state)
        try run.checkpoint("checkpoint-10")
        try close(before: 2)
        #expect(try run.folders.attempt(1)?.checkpoints == nil)
    }

    /// `init` ended its agent at the deadline, say.
    @Test func whatWasToldToEndAndLeftNoEndSaysSo() throws {
        try run.attempt(1, state: .training, outcome: Outcome(.interrupted))
        try close(before: 2)
        #expect(
            try run.folders.attempt(1)?.outcome
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
}
