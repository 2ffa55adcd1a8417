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
            &state, .claimed, .synced, .installed, .resumeChosen, .trainingEnded(.code(0)), .settled(nil), .published,
            .meterEnded)
        #expect(
            effects == [
                [.record, .sync], [.record, .install], [.record, .chooseCheckpoint], [.record, .train],
                [.record, .settle(patiently: true)], [.record, .publish(patiently: true)], [.endMeter], [.exit(0)],
            ])
        #expect(state.outcome == Outcome(.finished, exit: .code(0)))
    }

    @Test func sigtermWhileTrainingAndThenExitZeroIsInterrupted() {
        var state = RunState.at(.training)
        let effects = live(&state, .terminated, .trainingEnded(.code(0)), .settled(nil), .published)
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
        let effects = live(&state, .trainingEnded(exit), .terminated, .settled(nil), .published)
        #expect(effects[1] == [.tearDown(.immediate)])
        #expect(effects[2] == [.record, .publish(patiently: false)])
        #expect(effects[3] == [.exit(exit.shellCode)])
        #expect(state.outcome == Outcome(exit == .code(0) ? .finished : .failed, exit: exit))
    }

    @Test func stopThenSigterm() {
        var state = RunState.at(.training)
        let effects = live(&state, .stopAsked(.graceful), .terminated, .trainingEnded(.signal(15)), .settled(nil))
        #expect(
            effects == [
                [.record, .tearDown(.graceful())], [.tearDown(.fast)], [.record, .settle(patiently: false)],
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
        let effects = live(&state, .setupFailed("pip ended with 1"), .settled(nil), .published)
        #expect(
            effects == [
                [.record, .settle(patiently: true)], [.record, .publish(patiently: true)], [.endMeter],
            ])
        #expect(state.outcome == Outcome(.setupFailed, message: "pip ended with 1"))
        #expect(state.handle(.meterEnded) == [.exit(73)])
    }

    @Test func stopDuringInstallingDoesNotTrain() {
        for last in [Event.installed, .setupFailed("called off")] {
            var state = RunState.at(.installing)
            let effects = live(&state, .stopAsked(.graceful), last, .settled(nil), .published)
            #expect(
                effects == [
                    [.record, .tearDown(.graceful())], [.record, .settle(patiently: true)],
                    [.record, .publish(patiently: true)], [.endMeter],
                ])
            #expect(state.outcome == Outcome(.stopped))
            #expect(state.handle(.meterEnded) == [.exit(130)])
        }
    }

    @Test func aRestartInFinishingGoesOnFinishing() {
        var state = RunState()
        let outcome = Outcome(.failed, exit: .code(9))
        let effects = live(&state, .claimedFinishing(outcome), .settled(nil), .published)
        #expect(
            effects == [
                [.record, .settle(patiently: false)], [.record, .publish(patiently: true)], [.endMeter],
            ])
        #expect(state.outcome == outcome)
        #expect(state.handle(.meterEnded) == [.exit(9)])
    }

    /// In whatever state it is said, until the pod's end is under way; the last word counts.
    @Test func whatBecomesOfThePodIsTheUsersWord() {
        for from in AttemptState.allCases {
            var state = RunState.at(from)
            _ = state.handle(.stopAsked(.graceful))
            #expect(state.finishAsked == nil)
            _ = state.handle(.stopAsked(StopRequest(mode: .graceful, then: .terminate)))
            #expect(state.finishAsked == .terminate)
            _ = live(&state, .stopAsked(StopRequest(mode: .graceful, then: .stop)), .stopAsked(.now))
            #expect(state.finishAsked == .stop)
        }
        var state = RunState.at(.ended)
        _ = live(&state, .published, .stopAsked(StopRequest(mode: .now, then: .terminate)))
        #expect(state.finishAsked == nil)
    }

    /// Whoever starts the container of a launch that is over pays for it until it is stopped again.
    @Test func aLaunchThatIsOverIsOnlyStoppedAgain() {
        var state = RunState()
        #expect(
            live(&state, .launchOver(Outcome(.finished, exit: .code(0))), .meterEnded) == [
                [.endMeter], [.exit(0)],
            ])
    }

    @Test func aRunThatCannotBeClaimedIsLeft() {
        var state = RunState()
        #expect(
            live(&state, .claimFailed, .claimed, .stopAsked(.now), .meterEnded) == [[.endMeter], [], [], [.exit(74)]])
    }

    /// The provider may take long to be told; a SIGTERM is its answer.
    @Test func sigtermWhileTheMeterIsStoppedIsTheEnd() {
        var state = RunState.at(.ended)
        #expect(live(&state, .published, .terminated) == [[.endMeter], [.exit(0)]])
        state = RunState()
        #expect(live(&state, .launchOver(nil), .terminated) == [[.endMeter], [.exit(0)]])
    }

    @Test func aSupersededAttemptWritesNothingMore() {
        for from in AttemptState.allCases where ![.claiming, .ended].contains(from) {
            var state = RunState.at(from)
            #expect(state.handle(.superseded) == [.fence, .tearDown(.immediate), .endMeter])
            // What its training does meanwhile concerns nobody.
            #expect(live(&state, .trainingEnded(.code(0)), .meterEnded) == [[], [.exit(143)]])
        }
    }

    // MARK: - retries, limits, stalls

    @Test func aFailureWaitsAndIsFollowed() {
        var state = RunState.at(.training)
        let effects = live(&state, .trainingEnded(.code(3)), .settled(.retry(after: .seconds(10))), .waited)
        #expect(
            effects == [[.record, .settle(patiently: true)], [.record, .wait(.seconds(10))], [.startNext]])
        #expect(state.state == .waiting)
        #expect(state.outcome == Outcome(.failed, exit: .code(3)))
    }

    @Test func enoughSaysWhy() {
        var state = RunState.at(.training)
        let effects = live(&state, .trainingEnded(.code(3)), .settled(.enough("it failed 3 times")), .published)
        #expect(effects.dropFirst() == [[.record, .publish(patiently: true)], [.endMeter]])
        #expect(state.outcome == Outcome(.failed, exit: .code(3), message: "it failed 3 times"))
    }

    @Test func outOfMemoryIsTheReasonOfTheEndThatFollows() {
        var state = RunState.at(.training)
        #expect(live(&state, .outOfMemory, .trainingEnded(.signal(9))).last == [.record, .settle(patiently: true)])
        #expect(state.outcome == Outcome(.outOfMemory, exit: .signal(9)))
    }

    @Test(arguments: [Event.terminated, .stopAsked(.now), .overLimit("over"), .stalled("still")])
    func outOfMemoryIsNotTheReasonOfAnEndThatWasAskedFor(_ event: Event) {
        var state = RunState.at(.training)
        _ = state.handle(event)
        let kind = state.outcome?.kind
        _ = live(&state, .outOfMemory, .trainingEnded(.signal(9)))
        #expect(state.outcome?.kind == kind)
    }

    @Test func aStallIsLookedAtAndThenTriedAgain() {
        var state = RunState.at(.training)
        let effects = live(
            &state, .stalled("no new step for 600 s"), .stalled("again"), .examined, .trainingEnded(.signal(6)),
            .settled(.retry(after: .seconds(10))))
        #expect(
            effects == [
                [.record, .examine], [], [.tearDown(.dump)], [.record, .settle(patiently: true)],
                [.record, .wait(.seconds(10))],
            ])
        #expect(state.outcome == Outcome(.stalled, exit: .signal(6), message: "no new step for 600 s"))
    }

    /// A long last save may look like a stall. Only what was not touched yet ended by itself.
    @Test func whoEndsWellWhileItIsLookedAtHasFinished() {
        var state = RunState.at(.training)
        _ = live(&state, .stalled("still"), .trainingEnded(.code(0)))
        #expect(state.outcome == Outcome(.finished, exit: .code(0)))
        state = .at(.training)
        _ = live(&state, .stalled("still"), .trainingEnded(.code(3)))
        #expect(state.outcome?.kind == .stalled)
        state = .at(.training)
        _ = live(&state, .stalled("still"), .examined, .trainingEnded(.code(0)))
        #expect(state.outcome?.kind == .stalled)
    }

    /// What hangs may wake up and write again, so that nothing else trains on its pod.
    @Test func whatDoesNotEndIsLeftAndNothingFollows() {
        var state = RunState.at(.training)
        let effects = live(
            &state, .stalled("still"), .examined, .abandoned, .trainingEnded(.signal(9)),
            .settled(.retry(after: .seconds(10))), .published)
        #expect(
            effects == [
                [.record, .examine], [.tearDown(.dump)], [.record, .settle(patiently: false)], [],
                [.record, .publish(patiently: true)], [.endMeter],
            ])
        #expect(state.outcome == Outcome(.stalled, message: "still"))
    }

    /// Limits may be used up by earlier attempts, so that they tell before there is any training.
    @Test(arguments: [AttemptState.syncing, .installing, .resuming, .training])
    func aLimitEndsWhateverGoesOn(_ from: AttemptState) {
        var state = RunState.at(from)
        #expect(state.handle(.overLimit("over")) == [.record, .tearDown(.graceful())])
        #expect(state.outcome == Outcome(.overLimit, message: "over"))
        // A SIGTERM hurries it.
        #expect(state.handle(.terminated) == [.tearDown(.fast)])
    }

    @Test func theLimitOfThePreparationDoesNotConcernTheTraining() {
        var state = RunState.at(.training)
        #expect(state.handle(.setupTimedOut("slow")) == [])
        state = .at(.installing)
        let effects = live(&state, .setupTimedOut("slow"), .setupFailed("called off"), .settled(nil))
        #expect(
            effects == [
                [.record, .tearDown(.fast)], [.record, .settle(patiently: true)],
                [.record, .publish(patiently: true)],
            ])
        #expect(state.outcome == Outcome(.setupFailed, message: "slow"))
    }

    @Test(arguments: [StopRequest.graceful, .now])
    func whoIsStoppedIsNotTriedAgain(_ mode: StopRequest) {
        var waiting = RunState.at(.waiting)
        #expect(waiting.handle(.stopAsked(mode)) == [.record, .publish(patiently: true)])
        var finishing = RunState(.claimed, .synced, .installed, .resumeChosen, .trainingEnded(.code(3)))
        #expect(
            live(&finishing, .stopAsked(mode), .settled(.retry(after: .seconds(10)))) == [
                mode == .now ? [.tearDown(.immediate)] : [], [.record, .publish(patiently: true)],
            ])
        var stalled = RunState(.claimed, .synced, .installed, .resumeChosen, .stalled("still"))
        _ = live(&stalled, .stopAsked(mode), .trainingEnded(.signal(6)), .settled(.retry(after: .seconds(10))))
        // How it failed stays visible.
        let message = "before the next try; this one ended as failed"
        for state in [waiting, finishing] {
            #expect(state.state == .ended)
            #expect(state.outcome == Outcome(.stopped, exit: .code(3), message: message))
        }
        #expect(stalled.state == .ended)
        #expect(
            stalled.outcome
                == Outcome(.stopped, exit: .signal(6), message: "before the next try; this one ended as stalled: still")
        )
        // While the next one is claimed.
        var claiming = RunState()
        #expect(live(&claiming, .stopAsked(mode), .claimed) == [[], [.record, .settle(patiently: true)]])
        #expect(claiming.outcome == Outcome(.stopped))
        claiming = RunState()
        let failed = Outcome(.failed, exit: .code(3))
        #expect(
            live(&claiming, .stopAsked(mode), .claimedWaiting(failed, .seconds(5)))
                == [[], [.record, .publish(patiently: true)]])
        #expect(claiming.outcome == Outcome(.stopped, exit: .code(3), message: message))
    }

    @Test func anAgentThatIsStartedInThePauseGoesOnWithIt() {
        var state = RunState()
        let failed = Outcome(.failed, exit: .code(3))
        let effects = live(&state, .claimedWaiting(failed, .seconds(5)), .setupTimedOut("slow"), .waited)
        #expect(effects == [[.record, .wait(.seconds(5))], [], [.startNext]])
        #expect(state.state == .waiting && state.outcome == failed)
    }

    /// A later request may make it shorter, and never longer.
    @Test(
        arguments: [
            (60, 30, true), (60, 60, false), (60, 120, false), (600, 60, true), (1, 2, false),
        ] as [(Double, Double, Bool)]) func aSecondStop(_ first: Double, _ second: Double, isTaken: Bool)
    {
        for from in [AttemptState.syncing, .installing, .resuming, .training] {
            var state = RunState.at(from)
            let request = { StopRequest(mode: .graceful, patience: $0) }
            let effects = live(&state, .stopAsked(request(first)), .stopAsked(request(second)), .stopAsked(.now))
            #expect(effects[0] == [.record, .tearDown(.graceful(patience: .seconds(first)))])
            #expect(effects[1] == (isTaken ? [.tearDown(.graceful(patience: .seconds(second)))] : []))
            #expect(effects[2] == [.tearDown(.fast)])
            #expect(state.outcome == Outcome(.stopped))
        }
    }

    /// Python is to print where it stands, which takes seconds; who asks for an end gets it no later.
    @Test func aStallIsNotMadeLongerByAStop() {
        var state = RunState(.claimed, .synced, .installed, .resumeChosen, .stalled("still"))
        #expect(state.handle(.stopAsked(.graceful)) == [])
        #expect(state.handle(.terminated) == [.tearDown(.fast)])
    }

    @Test func whoSaysNowIsNotKeptByWhatLingers() {
        var state = RunState.at(.training)
        let effects = live(&state, .stopAsked(.now), .trainingEnded(.code(0)))
        #expect(effects == [[.record, .tearDown(.fast)], [.record, .settle(patiently: false)]])
    }

    /// Whoever starts this pod again makes the attempt that was waited for.
    @Test func sigtermWhileWaitingLeavesTheRecordAsItIs() {
        var state = RunState.at(.waiting)
        #expect(state.handle(.terminated) == [.exit(143)])
        #expect(state.state == .waiting)
    }

    @Test func aHurriedEndIsNotWaitedFor() {
        var state = RunState.at(.training)
        let effects = live(&state, .trainingEnded(.code(3)), .terminated, .settled(.retry(after: .seconds(10))))
        #expect(effects.last == [.record, .schedule(.seconds(10)), .publish(patiently: false)])
        // The record says that another attempt follows, so that the pod trains on when it is started again.
        #expect(state.state == .waiting)
        #expect(state.handle(.published) == [.exit(143)])
    }

    private static let exitCodes: [(Outcome?, Int32)] = [
        (nil, 0), (Outcome(.finished), 0), (Outcome(.finished, exit: .code(0)), 0), (Outcome(.failed), 70),
        (Outcome(.failed, exit: .code(1)), 1), (Outcome(.failed, exit: .code(255)), 255),
        (Outcome(.failed, exit: .signal(9)), 137), (Outcome(.setupFailed, message: "no"), 73),
        (Outcome(.stopped), 130), (Outcome(.stopped, exit: .code(0)), 0), (Outcome(.stopped, exit: .signal(15)), 143),
        (Outcome(.outOfMemory), 70), (Outcome(.outOfMemory, exit: .signal(9)), 137), (Outcome(.stalled), 70),
        (Outcome(.stalled, exit: .signal(6)), 134), (Outcome(.overLimit), 70), (Outcome(.agentCrash), 70),
        (Outcome(.interrupted), 143), (Outcome(.interrupted, exit: .code(4)), 4),
    ]

    @Test(arguments: exitCodes)
    func exitCode(_ outcome: Outcome?, _ code: Int32) {
        #expect(RunState.exitCode(outcome) == code)
    }
}
