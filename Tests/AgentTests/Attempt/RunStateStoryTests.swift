import Shared
import Testing

@testable import Agent

/// Whole lives of an attempt.
@Suite struct RunStateStoryTests {
    /// Handles `events` and returns the effects of each.
    private func live(_ state: inout RunState, _ events: Event...) -> [[Effect]] {
        events.map { state.handle($0) }
    }

    @Test("a plain life goes through every step and stops the pod")
    func plainLife() {
        var state = RunState()
        let effects = live(
            &state, .claimed, .checked, .synced, .installed, .resumeChosen, .trainingEnded(.code(0)),
            .attemptFinished(nil), .published,
            .podStopped)
        #expect(
            effects == [
                [.record, .setUp(.preflight)], [.record, .setUp(.syncing)], [.record, .setUp(.installing)],
                [.record, .setUp(.resuming)],
                [.record, .train],
                [.record, .finishAttempt(gracefully: true)], [.record, .publish(gracefully: true)], [.stopPod],
                [.exit(0)],
            ])
        #expect(state.outcome == Outcome(.finished, exit: .code(0)))
    }

    @Test("a training that exits with 0 after a SIGTERM is interrupted")
    func sigtermThenExitZero() {
        var state = RunState.at(.training)
        let effects = live(&state, .terminated, .trainingEnded(.code(0)), .attemptFinished(nil), .published)
        #expect(
            effects == [
                [.record, .tearDown(.fast)], [.record, .finishAttempt(gracefully: false)],
                [.record, .publish(gracefully: false)], [.exit(0)],
            ])
        #expect(state.outcome == Outcome(.interrupted, exit: .code(0)))
    }

    @Test(
        "a SIGTERM after the training's end does not change the outcome of the attempt",
        arguments: [Shared.ExitStatus.code(0), .code(7), .signal(11)])
    func sigtermInFinishing(_ exit: Shared.ExitStatus) {
        var state = RunState.at(.training)
        let effects = live(&state, .trainingEnded(exit), .terminated, .attemptFinished(nil), .published)
        #expect(effects[1] == [.tearDown(.immediate)])
        #expect(effects[2] == [.record, .publish(gracefully: false)])
        #expect(effects[3] == [.exit(exit.shellCode)])
        #expect(state.outcome == Outcome(exit == .code(0) ? .finished : .failed, exit: exit))
    }

    @Test("a SIGTERM after a stop request shortens the stop")
    func stopThenSigterm() {
        var state = RunState.at(.training)
        let effects = live(
            &state, .stopRequested(.graceful), .terminated, .trainingEnded(.signal(15)), .attemptFinished(nil))
        #expect(
            effects == [
                [.record, .tearDown(.graceful())], [.tearDown(.fast)], [.record, .finishAttempt(gracefully: false)],
                [.record, .publish(gracefully: false)],
            ])
        #expect(state.outcome == Outcome(.stopped, exit: .signal(15)))
    }

    @Test("a stop request after a SIGTERM changes nothing")
    func sigtermThenStop() {
        var state = RunState.at(.training)
        #expect(live(&state, .terminated, .stopRequested(.graceful)) == [[.record, .tearDown(.fast)], []])
        #expect(state.outcome == Outcome(.interrupted))
    }

    /// A second teardown would begin its steps again and so delay the kill.
    @Test(
        "a fast teardown is not begun again by a second SIGTERM or stop request",
        arguments: [Event.terminated, .stopRequested(.now)],
        [Event.terminated, .stopRequested(.now), .stopRequested(.graceful)])
    func fastTeardown(_ first: Event, _ second: Event) {
        for state in [AttemptState.preflight, .syncing, .installing, .resuming, .training] {
            var state = RunState.at(state)
            #expect(live(&state, first, second, second).dropFirst() == [[], []])
        }
        var state = RunState.at(.training)
        _ = live(&state, .stopRequested(.graceful), first)
        #expect(state.handle(second) == [])
    }

    @Test("a failed setup step ends the attempt and stops the pod")
    func setupFailure() {
        var state = RunState.at(.installing)
        let effects = live(&state, .setupFailed("pip ended with 1"), .attemptFinished(nil), .published)
        #expect(
            effects == [
                [.record, .finishAttempt(gracefully: true)], [.record, .publish(gracefully: true)], [.stopPod],
            ])
        #expect(state.outcome == Outcome(.setupFailed, message: "pip ended with 1"))
        #expect(state.handle(.podStopped) == [.exit(73)])
    }

    @Test("a stop request during the installation prevents the training")
    func stopWhileInstalling() {
        for last in [Event.installed, .setupFailed("called off")] {
            var state = RunState.at(.installing)
            let effects = live(&state, .stopRequested(.graceful), last, .attemptFinished(nil), .published)
            #expect(
                effects == [
                    [.record, .tearDown(.graceful())], [.record, .finishAttempt(gracefully: true)],
                    [.record, .publish(gracefully: true)], [.stopPod],
                ])
            #expect(state.outcome == Outcome(.stopped))
            #expect(state.handle(.podStopped) == [.exit(130)])
        }
    }

    @Test("an attempt that claims a finishing one finishes it")
    func claimedFinishing() {
        var state = RunState()
        let outcome = Outcome(.failed, exit: .code(9))
        let effects = live(&state, .claimedFinishing(outcome), .attemptFinished(nil), .published)
        #expect(
            effects == [
                [.record, .finishAttempt(gracefully: false)], [.record, .publish(gracefully: true)], [.stopPod],
            ])
        #expect(state.outcome == outcome)
        #expect(state.handle(.podStopped) == [.exit(9)])
    }

    /// It counts in every state until the agent begins to stop the pod.
    @Test("the last stop request decides what becomes of the pod")
    func podRule() {
        for from in AttemptState.allCases {
            var state = RunState.at(from)
            _ = state.handle(.stopRequested(.graceful))
            #expect(state.ending.podRule == nil)
            _ = state.handle(.stopRequested(StopRequest(mode: .graceful, then: .terminate)))
            #expect(state.ending.podRule == .terminate)
            _ = live(&state, .stopRequested(StopRequest(mode: .graceful, then: .stop)), .stopRequested(.now))
            #expect(state.ending.podRule == .stop)
        }
        var state = RunState.at(.ended)
        _ = live(&state, .published, .stopRequested(StopRequest(mode: .now, then: .terminate)))
        #expect(state.ending.podRule == nil)
    }

    /// If its container is started again, the user pays for the pod until it is stopped.
    @Test("a launch that is over only stops the pod again")
    func launchOver() {
        var state = RunState()
        #expect(
            live(&state, .launchOver(Outcome(.finished, exit: .code(0))), .podStopped) == [
                [.stopPod], [.exit(0)],
            ])
    }

    @Test("an agent that cannot start stops the pod and exits")
    func cannotStart() {
        var state = RunState()
        #expect(
            live(&state, .cannotStart(.output), .claimed, .stopRequested(.now), .podStopped) == [
                [.stopPod], [], [], [.exit(74)],
            ])
    }

    /// The request to stop the pod may take long. A SIGTERM shows that it worked.
    @Test("a SIGTERM while the pod is being stopped ends the agent")
    func sigtermWhileStopping() {
        var state = RunState.at(.ended)
        #expect(live(&state, .published, .terminated) == [[.stopPod], [.exit(0)]])
        state = RunState()
        #expect(live(&state, .launchOver(nil), .terminated) == [[.stopPod], [.exit(0)]])
    }

    @Test("a superseded attempt writes nothing more")
    func superseded() {
        for from in AttemptState.allCases where ![.claiming, .ended].contains(from) {
            var state = RunState.at(from)
            #expect(state.handle(.superseded) == [.fence, .tearDown(.immediate), .stopPod])
            // The end of its training does not matter any more.
            #expect(live(&state, .trainingEnded(.code(0)), .podStopped) == [[], [.exit(143)]])
        }
    }

    // MARK: - retries, limits, stalls

    @Test("a failed attempt waits and the next one starts")
    func retry() {
        var state = RunState.at(.training)
        let effects = live(&state, .trainingEnded(.code(3)), .attemptFinished(.retry(after: .seconds(10))), .pauseOver)
        #expect(
            effects == [[.record, .finishAttempt(gracefully: true)], [.record, .pause(.seconds(10))], [.startNext]])
        #expect(state.state == .waiting)
        #expect(state.outcome == Outcome(.failed, exit: .code(3)))
    }

    @Test("the outcome of an attempt that is not retried says why")
    func enough() {
        var state = RunState.at(.training)
        let effects = live(&state, .trainingEnded(.code(3)), .attemptFinished(.enough("it failed 3 times")), .published)
        #expect(effects.dropFirst() == [[.record, .publish(gracefully: true)], [.stopPod]])
        #expect(state.outcome == Outcome(.failed, exit: .code(3), message: "it failed 3 times"))
    }

    @Test("a training that ran out of memory ends as out-of-memory")
    func outOfMemory() {
        var state = RunState.at(.training)
        #expect(
            live(&state, .outOfMemory, .trainingEnded(.signal(9))).last == [.record, .finishAttempt(gracefully: true)])
        #expect(state.outcome == Outcome(.outOfMemory, exit: .signal(9)))
    }

    @Test("a command that leaves idle processes behind has failed, though its exit code is 0")
    func leftIdle() {
        var state = RunState.at(.training)
        let effects = live(&state, .leftIdle("left"), .trainingEnded(.code(0)))
        #expect(effects.last == [.record, .finishAttempt(gracefully: true)])
        #expect(state.outcome == Outcome(.failed, exit: .code(0), message: "left"))
    }

    @Test(
        "an end that has a reason already does not become out-of-memory",
        arguments: [Event.terminated, .stopRequested(.now), .overLimit("over"), .stalled("still")])
    func outOfMemoryLater(_ event: Event) {
        var state = RunState.at(.training)
        _ = state.handle(event)
        let kind = state.outcome?.kind
        _ = live(&state, .outOfMemory, .trainingEnded(.signal(9)))
        #expect(state.outcome?.kind == kind)
    }

    @Test("a stalled training is captured, ended and retried")
    func stall() {
        var state = RunState.at(.training)
        let effects = live(
            &state, .stalled("no new step for 600 s"), .stalled("again"), .stallCaptured, .trainingEnded(.signal(6)),
            .attemptFinished(.retry(after: .seconds(10))))
        #expect(
            effects == [
                [.record, .captureStall], [], [.tearDown(.dump)], [.record, .finishAttempt(gracefully: true)],
                [.record, .pause(.seconds(10))],
            ])
        #expect(state.outcome == Outcome(.stalled, exit: .signal(6), message: "no new step for 600 s"))
    }

    /// A long last save may look like a stall. Before its teardown a training can only end by itself.
    @Test("a stalled training that exits with 0 before its teardown has finished")
    func stallThenExitZero() {
        var state = RunState.at(.training)
        _ = live(&state, .stalled("still"), .trainingEnded(.code(0)))
        #expect(state.outcome == Outcome(.finished, exit: .code(0)))
        state = .at(.training)
        _ = live(&state, .stalled("still"), .trainingEnded(.code(3)))
        #expect(state.outcome?.kind == .stalled)
        state = .at(.training)
        _ = live(&state, .stalled("still"), .stallCaptured, .trainingEnded(.code(0)))
        #expect(state.outcome?.kind == .stalled)
    }

    /// Such processes may wake up and write again, so nothing else may train on their pod.
    @Test("no attempt follows one with unkillable processes")
    func unkillable() {
        var state = RunState.at(.training)
        let effects = live(
            &state, .stalled("still"), .stallCaptured, .unkillable, .trainingEnded(.signal(9)),
            .attemptFinished(.retry(after: .seconds(10))), .published)
        #expect(
            effects == [
                [.record, .captureStall], [.tearDown(.dump)], [.record, .finishAttempt(gracefully: false)], [],
                [.record, .publish(gracefully: true)], [.stopPod],
            ])
        #expect(state.outcome == Outcome(.stalled, message: "still"))
    }

    /// Earlier attempts may have used up a limit, so it may end an attempt before its training.
    @Test(
        "a limit ends every setup step and the training",
        arguments: [AttemptState.preflight, .syncing, .installing, .resuming, .training])
    func limit(_ from: AttemptState) {
        var state = RunState.at(from)
        #expect(state.handle(.overLimit("over")) == [.record, .tearDown(.graceful())])
        #expect(state.outcome == Outcome(.overLimit, message: "over"))
        // A SIGTERM shortens the teardown.
        #expect(state.handle(.terminated) == [.tearDown(.fast)])
    }

    @Test("limits.setup ends a setup step and not the training")
    func setupTimeout() {
        var state = RunState.at(.training)
        #expect(state.handle(.setupTimedOut("slow")) == [])
        state = .at(.installing)
        let effects = live(&state, .setupTimedOut("slow"), .setupFailed("called off"), .attemptFinished(nil))
        #expect(
            effects == [
                [.record, .tearDown(.fast)], [.record, .finishAttempt(gracefully: true)],
                [.record, .publish(gracefully: true)],
            ])
        #expect(state.outcome == Outcome(.setupFailed, message: "slow"))
    }

    @Test(
        "a stop request prevents the next attempt in every state",
        arguments: [StopRequest.graceful, .now])
    func stopPreventsRetry(_ mode: StopRequest) {
        var waiting = RunState.at(.waiting)
        #expect(waiting.handle(.stopRequested(mode)) == [.record, .publish(gracefully: true)])
        var finishing = RunState(.claimed, .checked, .synced, .installed, .resumeChosen, .trainingEnded(.code(3)))
        #expect(
            live(&finishing, .stopRequested(mode), .attemptFinished(.retry(after: .seconds(10)))) == [
                mode == .now ? [.tearDown(.immediate)] : [], [.record, .publish(gracefully: true)],
            ])
        var stalled = RunState(.claimed, .checked, .synced, .installed, .resumeChosen, .stalled("still"))
        _ = live(
            &stalled, .stopRequested(mode), .trainingEnded(.signal(6)), .attemptFinished(.retry(after: .seconds(10))))
        // The message keeps the outcome that the attempt had before the stop.
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
        // The stop request comes while the next attempt is claimed.
        var claiming = RunState()
        #expect(live(&claiming, .stopRequested(mode), .claimed) == [[], [.record, .finishAttempt(gracefully: true)]])
        #expect(claiming.outcome == Outcome(.stopped))
        claiming = RunState()
        let failed = Outcome(.failed, exit: .code(3))
        #expect(
            live(&claiming, .stopRequested(mode), .claimedWaiting(failed, .seconds(5)))
                == [[], [.record, .publish(gracefully: true)]])
        #expect(claiming.outcome == Outcome(.stopped, exit: .code(3), message: message))
    }

    @Test("an attempt that claims a waiting one sits out the pause")
    func claimedWaiting() {
        var state = RunState()
        let failed = Outcome(.failed, exit: .code(3))
        let effects = live(&state, .claimedWaiting(failed, .seconds(5)), .setupTimedOut("slow"), .pauseOver)
        #expect(effects == [[.record, .pause(.seconds(5))], [], [.startNext]])
        #expect(state.state == .waiting && state.outcome == failed)
    }

    @Test(
        "a second stop request may shorten the grace and never extends it",
        arguments: [
            (60, 30, true), (60, 60, false), (60, 120, false), (600, 60, true), (1, 2, false),
        ] as [(Double, Double, Bool)])
    func secondStop(_ first: Double, _ second: Double, isTaken: Bool) {
        for from in [AttemptState.preflight, .syncing, .installing, .resuming, .training] {
            var state = RunState.at(from)
            let request = { StopRequest(mode: .graceful, grace: .seconds($0)) }
            let effects = live(
                &state, .stopRequested(request(first)), .stopRequested(request(second)), .stopRequested(.now))
            #expect(effects[0] == [.record, .tearDown(.graceful(grace: .seconds(first)))])
            #expect(effects[1] == (isTaken ? [.tearDown(.graceful(grace: .seconds(second)))] : []))
            #expect(effects[2] == [.tearDown(.fast)])
            #expect(state.outcome == Outcome(.stopped))
        }
    }

    /// The teardown of a stall gives Python some seconds to print its stacks.
    @Test("a graceful stop does not extend the teardown of a stalled training")
    func stallThenStop() {
        var state = RunState(.claimed, .checked, .synced, .installed, .resumeChosen, .stalled("still"))
        #expect(state.handle(.stopRequested(.graceful)) == [])
        #expect(state.handle(.terminated) == [.tearDown(.fast)])
    }

    @Test("a stop with \"now\" does not wait for remaining processes")
    func stopNow() {
        var state = RunState.at(.training)
        let effects = live(&state, .stopRequested(.now), .trainingEnded(.code(0)))
        #expect(effects == [[.record, .tearDown(.fast)], [.record, .finishAttempt(gracefully: false)]])
    }

    /// The pod's next start makes the attempt that this one waited for.
    @Test("a SIGTERM during the pause leaves the record unchanged")
    func sigtermWhileWaiting() {
        var state = RunState.at(.waiting)
        #expect(state.handle(.terminated) == [.exit(143)])
        #expect(state.state == .waiting)
    }

    @Test("a preempted attempt records its retry and does not wait for it")
    func preemptedRetry() {
        var state = RunState.at(.training)
        let effects = live(&state, .trainingEnded(.code(3)), .terminated, .attemptFinished(.retry(after: .seconds(10))))
        #expect(effects.last == [.record, .schedule(.seconds(10)), .publish(gracefully: false)])
        // The record says that another attempt follows, so the pod's next start trains.
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

    @Test(
        "the pod exits with the training's code, or with a code for its outcome",
        arguments: exitCodes)
    func exitCode(_ outcome: Outcome?, _ code: Int32) {
        #expect(Exit.ofPod(outcome) == code)
    }
}
