import Shared
import Testing

@testable import Agent

/// Whole lives of an attempt.
@Suite struct RunStateStoryTests {
    /// Handles `events` and returns the effects of each.
    private func live(_ state: inout RunState, _ events: Event...) -> [[Effect]] {
        events.map { state.handle($0) }
    }

    @Test func plainLife() {
        var state = RunState()
        let effects = live(
            &state, .claimed, .synced, .installed, .resumeChosen, .trainingEnded(.code(0)), .settled, .published)
        #expect(
            effects == [
                [.record, .sync], [.record, .install], [.record, .chooseCheckpoint], [.record, .train],
                [.record, .settle(patiently: true)], [.record, .publish(patiently: true)], [.exit(0)],
            ])
        #expect(state.outcome == Outcome(.finished, exit: .code(0)))
    }

    @Test func sigtermWhileTrainingAndThenExitZeroIsInterrupted() {
        var state = RunState.at(.training)
        let effects = live(&state, .terminated, .trainingEnded(.code(0)), .settled, .published)
        #expect(
            effects == [
                [.record, .tearDown(.fast)], [.record, .settle(patiently: false)],
                [.record, .publish(patiently: false)], [.exit(0)],
            ])
        #expect(state.outcome == Outcome(.interrupted, exit: .code(0)))
    }

    @Test(arguments: [Shared.ExitStatus.code(0), .code(7), .signal(11)])
    func sigtermInFinishingKeepsTheClass(_ exit: Shared.ExitStatus) {
        var state = RunState.at(.training)
        let effects = live(&state, .trainingEnded(exit), .terminated, .settled, .published)
        #expect(effects[1] == [.tearDown(.immediate)])
        #expect(effects[2] == [.record, .publish(patiently: false)])
        #expect(effects[3] == [.exit(exit.shellCode)])
        #expect(state.outcome == Outcome(exit == .code(0) ? .finished : .failed, exit: exit))
    }

    @Test func stopThenSigterm() {
        var state = RunState.at(.training)
        let effects = live(&state, .stopAsked(.graceful), .terminated, .trainingEnded(.signal(15)), .settled)
        #expect(
            effects == [
                [.record, .tearDown(.graceful)], [.tearDown(.fast)], [.record, .settle(patiently: false)],
                [.record, .publish(patiently: false)],
            ])
        #expect(state.outcome == Outcome(.stopped, exit: .signal(15)))
    }

    @Test func sigtermThenStopStaysInterrupted() {
        var state = RunState.at(.training)
        #expect(live(&state, .terminated, .stopAsked(.graceful)) == [[.record, .tearDown(.fast)], []])
        #expect(state.outcome == Outcome(.interrupted))
    }

    /// A second one would begin the steps anew, and so put off the kill.
    @Test(
        arguments: [Event.terminated, .stopAsked(.now)], [Event.terminated, .stopAsked(.now), .stopAsked(.graceful)])
    func whatIsFastAlreadyIsNotBegunAgain(_ first: Event, _ second: Event) {
        for state in [AttemptState.syncing, .installing, .resuming, .training] {
            var state = RunState.at(state)
            #expect(live(&state, first, second, second).dropFirst() == [[], []])
        }
        var state = RunState.at(.training)
        _ = live(&state, .stopAsked(.graceful), first)
        #expect(state.handle(second) == [])
    }

    @Test func setupFailure() {
        var state = RunState.at(.installing)
        let effects = live(&state, .setupFailed("pip ended with 1"), .settled, .published)
        #expect(
            effects == [
                [.record, .settle(patiently: true)], [.record, .publish(patiently: true)], [.exit(73)],
            ])
        #expect(state.outcome == Outcome(.setupFailed, message: "pip ended with 1"))
    }

    @Test func stopDuringInstallingDoesNotTrain() {
        for last in [Event.installed, .setupFailed("called off")] {
            var state = RunState.at(.installing)
            let effects = live(&state, .stopAsked(.graceful), last, .settled, .published)
            #expect(
                effects == [
                    [.record, .tearDown(.graceful)], [.record, .settle(patiently: false)],
                    [.record, .publish(patiently: true)], [.exit(130)],
                ])
            #expect(state.outcome == Outcome(.stopped))
        }
    }

    @Test func aRestartInFinishingGoesOnFinishing() {
        var state = RunState()
        let outcome = Outcome(.failed, exit: .code(9))
        let effects = live(&state, .claimedFinishing(outcome), .settled, .published)
        #expect(
            effects == [
                [.record, .settle(patiently: false)], [.record, .publish(patiently: true)], [.exit(9)],
            ])
        #expect(state.outcome == outcome)
    }

    @Test func aSupersededAttemptWritesNothingMore() {
        for from in AttemptState.allCases where ![.claiming, .ended].contains(from) {
            var state = RunState.at(from)
            #expect(state.handle(.superseded) == [.fence, .tearDown(.immediate), .exit(143)])
        }
    }

    private static let exitCodes: [(Outcome?, Int32)] = [
        (nil, 0), (Outcome(.finished), 0), (Outcome(.finished, exit: .code(0)), 0), (Outcome(.failed), 70),
        (Outcome(.failed, exit: .code(1)), 1), (Outcome(.failed, exit: .code(255)), 255),
        (Outcome(.failed, exit: .signal(9)), 137), (Outcome(.setupFailed, message: "no"), 73),
        (Outcome(.stopped), 130), (Outcome(.stopped, exit: .code(0)), 0), (Outcome(.stopped, exit: .signal(15)), 143),
        (Outcome(.interrupted), 143), (Outcome(.interrupted, exit: .code(4)), 4),
    ]

    @Test(arguments: exitCodes)
    func exitCode(_ outcome: Outcome?, _ code: Int32) {
        #expect(RunState.exitCode(outcome) == code)
    }
}
