import Shared
import Testing

@testable import Agent

/// Every pair of state and event, with the state, the outcome and the effects that follow, written by hand.
@Suite struct RunStateTableTests {
    struct Row: Sendable, CustomStringConvertible {
        var from: RunState
        var event: Event
        /// nil if the pair changes nothing and has no effect.
        var result: Result?

        struct Result: Sendable {
            var state: AttemptState
            var outcome: Outcome?
            var effects: [Effect]
        }

        var description: String { "\(from.state)\(from.outcome.map { "(\($0.kind))" } ?? "") × \(event)" }
    }

    private static func row(
        _ from: RunState, _ event: Event, _ state: AttemptState, _ outcome: Outcome?, _ effects: Effect...
    ) -> Row {
        Row(from: from, event: event, result: .init(state: state, outcome: outcome, effects: effects))
    }

    private static func nothing(_ from: RunState, _ events: Event...) -> [Row] {
        events.map { Row(from: from, event: $0, result: nil) }
    }

    private static let failed3 = Outcome(.failed, exit: .code(3))
    private static let setupFailed = Outcome(.setupFailed, message: "no")
    private static let interrupted = Outcome(.interrupted)
    private static let stopped = Outcome(.stopped)
    private static let overLimit = Outcome(.overLimit, message: "over")
    private static let slow = Outcome(.setupFailed, message: "slow")
    private static let stalled = Outcome(.stalled, message: "still")
    private static let outOfMemory = Outcome(.outOfMemory)
    private static let retry: Event = .attemptFinished(.retry(after: .seconds(10)))
    private static let claimedWaiting: Event = .claimedWaiting(failed3, .seconds(7))
    private static let enough: Event = .attemptFinished(.enough("enough"))
    private static let finished = Outcome(.finished, exit: .code(0))

    // MARK: - without a stop request

    private static let claiming: [Row] = {
        let here = RunState.at(.claiming)
        return [
            row(here, .claimed, .preflight, nil, .record, .setUp(.preflight)),
            row(here, .claimedFinishing(failed3), .finishing, failed3, .record, .finishAttempt(gracefully: false)),
            row(here, claimedWaiting, .waiting, failed3, .record, .pause(.seconds(7))),
            row(here, .launchOver(nil), .claiming, nil, .stopPod),
            row(here, .launchOver(failed3), .claiming, nil, .stopPod),
            row(here, .cannotStart(.output), .claiming, nil, .stopPod),
            row(here, .setupTimedOut("slow"), .claiming, nil, .stopPod),
            row(here, .terminated, .claiming, nil, .exit(143)),
            row(here, .stopRequested(.graceful), .claiming, nil), row(here, .stopRequested(.now), .claiming, nil),
        ]
            + nothing(
                here, .checked, .synced, .installed, .resumeChosen, .setupFailed("no"), .trainingEnded(.code(0)),
                .trainingEnded(.code(3)), .trainingEnded(.signal(9)), .outOfMemory, .leftIdle("idle"),
                .attemptFinished(nil), retry,
                enough,
                .pauseOver, .published, .podStopped, .superseded, .stalled("still"), .stallCaptured, .unkillable,
                .overLimit("over"))
    }()

    private static func preparing(_ state: AttemptState) -> [Row] {
        let here = RunState.at(state)
        return [
            row(here, .setupFailed("no"), .finishing, setupFailed, .record, .finishAttempt(gracefully: true)),
            row(here, .terminated, state, interrupted, .record, .tearDown(.fast)),
            row(here, .stopRequested(.graceful), state, stopped, .record, .tearDown(.graceful())),
            row(here, .stopRequested(.now), state, stopped, .record, .tearDown(.fast)),
            row(here, .superseded, state, nil, .fence, .tearDown(.immediate), .stopPod),
            row(here, .overLimit("over"), state, overLimit, .record, .tearDown(.graceful())),
        ]
            + nothing(
                here, .claimed, .claimedFinishing(failed3), claimedWaiting, .launchOver(nil), .launchOver(failed3),
                .attemptFinished(nil), retry, enough, .pauseOver, .published, .podStopped, .cannotStart(.output),
                .unkillable)
    }

    /// The pairs that all setup steps have in common and the training does not have.
    private static func beforeTraining(_ state: AttemptState) -> [Row] {
        let here = RunState.at(state)
        return preparing(state) + [row(here, .setupTimedOut("slow"), state, slow, .record, .tearDown(.fast))]
            + nothing(here, .outOfMemory, .leftIdle("idle"), .stalled("still"), .stallCaptured)
    }

    /// The pairs of one setup step, which only its own end completes.
    private static func step(_ step: SetupStep, _ next: AttemptState, _ effect: Effect) -> [Row] {
        let here = RunState.at(step.state)
        let others = SetupStep.allCases.filter { $0 != step }.flatMap { nothing(here, .stepDone($0)) }
        return beforeTraining(step.state) + [row(here, .stepDone(step), next, nil, .record, effect)] + others
            + nothing(here, .trainingEnded(.code(0)), .trainingEnded(.code(3)), .trainingEnded(.signal(9)))
    }

    private static let setup =
        step(.preflight, .syncing, .setUp(.syncing)) + step(.syncing, .installing, .setUp(.installing))
        + step(.installing, .resuming, .setUp(.resuming)) + step(.resuming, .training, .train)

    private static let training: [Row] = {
        let here = RunState.at(.training)
        let killed = Outcome(.failed, exit: .signal(9))
        return preparing(.training) + [
            row(here, .trainingEnded(.code(0)), .finishing, finished, .record, .finishAttempt(gracefully: true)),
            row(here, .trainingEnded(.code(3)), .finishing, failed3, .record, .finishAttempt(gracefully: true)),
            row(here, .trainingEnded(.signal(9)), .finishing, killed, .record, .finishAttempt(gracefully: true)),
            row(here, .outOfMemory, .training, outOfMemory),
            row(here, .leftIdle("idle"), .training, Outcome(.failed, message: "idle")),
            row(here, .stalled("still"), .training, stalled, .record, .captureStall),
        ] + nothing(here, .checked, .synced, .installed, .resumeChosen, .stallCaptured, .setupTimedOut("slow"))
    }()

    private static let finishing: [Row] = {
        let here = RunState.at(.finishing)
        return [
            row(here, .attemptFinished(nil), .ended, finished, .record, .publish(gracefully: true)),
            row(here, retry, .waiting, finished, .record, .pause(.seconds(10))),
            row(
                here, enough, .ended, Outcome(.finished, exit: .code(0), message: "enough"), .record,
                .publish(gracefully: true)),
            row(here, .stopRequested(.graceful), .finishing, finished),
            row(here, .stopRequested(.now), .finishing, finished, .tearDown(.immediate)),
            row(here, .terminated, .finishing, finished, .tearDown(.immediate)),
            row(here, .superseded, .finishing, finished, .fence, .tearDown(.immediate), .stopPod),
        ]
            + nothing(
                here, .claimed, .claimedFinishing(failed3), claimedWaiting, .launchOver(nil), .launchOver(failed3),
                .checked, .synced, .installed, .resumeChosen, .setupFailed("no"), .trainingEnded(.code(0)),
                .trainingEnded(.code(3)),
                .trainingEnded(.signal(9)), .outOfMemory, .leftIdle("idle"), .pauseOver, .published, .podStopped,
                .cannotStart(.output),
                .stalled("still"), .stallCaptured, .unkillable,
                .overLimit("over"), .setupTimedOut("slow"))
    }()

    private static let waiting: [Row] = {
        let here = RunState.at(.waiting)
        let stopped = Outcome(
            .stopped, exit: .code(3), message: "before the next try; this one ended as failed")
        return [
            row(here, .pauseOver, .waiting, failed3, .startNext),
            row(here, .stopRequested(.graceful), .ended, stopped, .record, .publish(gracefully: true)),
            row(here, .stopRequested(.now), .ended, stopped, .record, .publish(gracefully: true)),
            row(here, .terminated, .waiting, failed3, .exit(143)),
            row(here, .published, .waiting, failed3, .exit(143)),
            row(here, .superseded, .waiting, failed3, .fence, .tearDown(.immediate), .stopPod),
        ]
            + nothing(
                here, .claimed, .claimedFinishing(failed3), claimedWaiting, .launchOver(nil), .launchOver(failed3),
                .checked, .synced, .installed, .resumeChosen, .setupFailed("no"), .trainingEnded(.code(0)),
                .trainingEnded(.code(3)),
                .trainingEnded(.signal(9)), .outOfMemory, .leftIdle("idle"), .attemptFinished(nil), retry, enough,
                .podStopped,
                .cannotStart(.output),
                .stalled("still"), .stallCaptured, .unkillable, .overLimit("over"), .setupTimedOut("slow"))
    }()

    private static let ended: [Row] = {
        let here = RunState.at(.ended)
        return [
            row(here, .published, .ended, finished, .stopPod),
            row(here, .terminated, .ended, finished, .exit(0)),
        ]
            + nothing(
                here, .claimed, .claimedFinishing(failed3), claimedWaiting, .launchOver(nil), .launchOver(failed3),
                .checked, .synced, .installed, .resumeChosen, .setupFailed("no"), .trainingEnded(.code(0)),
                .trainingEnded(.code(3)),
                .trainingEnded(.signal(9)), .outOfMemory, .leftIdle("idle"), .attemptFinished(nil), retry, enough,
                .pauseOver, .podStopped,
                .cannotStart(.output), .stopRequested(.graceful),
                .stopRequested(.now), .superseded, .stalled("still"), .stallCaptured, .unkillable, .overLimit("over"),
                .setupTimedOut("slow"))
    }()

    // MARK: - after a graceful stop request, while the attempt continues

    private static func calledOff(_ state: AttemptState, ends event: Event?) -> [Row] {
        var here = RunState.at(state)
        _ = here.handle(.stopRequested(.graceful))
        let training: [Event] = [.trainingEnded(.code(0)), .trainingEnded(.code(3)), .trainingEnded(.signal(9))]
        let steps: [Event] = [.checked, .synced, .installed, .resumeChosen].filter { $0 != event }
        var rows = [
            // The outcome stays; the SIGTERM only shortens the teardown.
            row(here, .terminated, state, stopped, .tearDown(.fast)),
            row(here, .stopRequested(.now), state, stopped, .tearDown(.fast)),
            row(here, .setupFailed("no"), .finishing, stopped, .record, .finishAttempt(gracefully: true)),
            row(here, .superseded, state, stopped, .fence, .tearDown(.immediate), .stopPod),
            row(here, .unkillable, .finishing, stopped, .record, .finishAttempt(gracefully: false)),
        ]
        rows += nothing(
            here, .claimed, .claimedFinishing(failed3), claimedWaiting, .launchOver(nil), .launchOver(failed3),
            .attemptFinished(nil), retry, enough, .pauseOver, .published, .podStopped, .cannotStart(.output),
            .stopRequested(.graceful),
            .outOfMemory, .leftIdle("idle"), .stalled("still"), .stallCaptured, .overLimit("over"))
        rows += [
            state == .training
                ? Row(from: here, event: .setupTimedOut("slow"), result: nil)
                : row(here, .setupTimedOut("slow"), state, stopped, .tearDown(.fast))
        ]
        rows += steps.map { Row(from: here, event: $0, result: nil) }
        if let event {
            rows.append(row(here, event, .finishing, stopped, .record, .finishAttempt(gracefully: true)))
            rows += training.map { Row(from: here, event: $0, result: nil) }
        } else {
            for exit: Shared.ExitStatus in [.code(0), .code(3), .signal(9)] {
                let outcome = Outcome(.stopped, exit: exit)
                rows.append(
                    row(here, .trainingEnded(exit), .finishing, outcome, .record, .finishAttempt(gracefully: true)))
            }
        }
        return rows
    }

    private static let plain = claiming + setup + training + finishing + waiting + ended
    private static let stopping =
        calledOff(.preflight, ends: .checked) + calledOff(.syncing, ends: .synced)
        + calledOff(.installing, ends: .installed)
        + calledOff(.resuming, ends: .resumeChosen) + calledOff(.training, ends: nil)

    @Test(
        "each event in each state of an attempt gives the state, outcome and effects of the table",
        arguments: plain + stopping)
    func pair(_ row: Row) {
        var state = row.from
        let effects = state.handle(row.event)
        guard let result = row.result else {
            #expect(effects.isEmpty)
            #expect(state == row.from)
            return
        }
        #expect(effects == result.effects)
        #expect(state.state == result.state)
        #expect(state.outcome == result.outcome)
    }

    @Test("the table of an attempt's states and events has every pair once")
    func completeness() {
        let wanted = AttemptState.allCases.flatMap { state in Event.samples.map { "\(state) \($0)" } }
        #expect(Self.plain.map { "\($0.from.state) \($0.event)" }.sorted() == wanted.sorted())
        let going: [AttemptState] = [.preflight, .syncing, .installing, .resuming, .training]
        let wantedStopping = going.flatMap { state in Event.samples.map { "\(state) \($0)" } }
        #expect(Self.stopping.map { "\($0.from.state) \($0.event)" }.sorted() == wantedStopping.sorted())
        #expect(Set(Event.samples.map(\.name)).count == 22)
    }
}
