import Shared

@testable import Agent

extension Event {
    /// Every event; one with a payload comes once for each way in which the table may treat it.
    static let samples: [Event] = [
        .claimed, .claimedFinishing(Outcome(.failed, exit: .code(3))),
        .claimedWaiting(Outcome(.failed, exit: .code(3)), .seconds(7)), .launchOver(nil),
        .launchOver(Outcome(.failed, exit: .code(3))), .checked, .synced, .installed, .resumeChosen, .setupFailed("no"),
        .trainingEnded(.code(0)), .trainingEnded(.code(3)), .trainingEnded(.signal(9)), .outOfMemory, .leftIdle("idle"),
        .attemptFinished(nil),
        .attemptFinished(.retry(after: .seconds(10))),
        .attemptFinished(.enough("enough")), .pauseOver, .published, .podStopped, .cannotStart(.output),
        .terminated, .stopRequested(.graceful), .stopRequested(.now), .superseded, .stalled("still"), .stallCaptured,
        .unkillable,
        .overLimit("over"),
        .setupTimedOut("slow"),
    ]

    /// The event without its payload. A new case is a compile error here, and needs its samples above.
    var name: String {
        switch self {
        case .claimed: "claimed"
        case .claimedFinishing: "claimedFinishing"
        case .claimedWaiting: "claimedWaiting"
        case .cannotStart: "cannotStart"
        case .launchOver: "launchOver"
        case .stepDone: "stepDone"
        case .setupFailed: "setupFailed"
        case .trainingEnded: "trainingEnded"
        case .outOfMemory: "outOfMemory"
        case .leftIdle: "leftIdle"
        case .attemptFinished: "attemptFinished"
        case .pauseOver: "pauseOver"
        case .published: "published"
        case .podStopped: "podStopped"
        case .terminated: "terminated"
        case .stopRequested: "stopRequested"
        case .superseded: "superseded"
        case .stalled: "stalled"
        case .stallCaptured: "stallCaptured"
        case .unkillable: "unkillable"
        case .overLimit: "overLimit"
        case .setupTimedOut: "setupTimedOut"
        }
    }
}

extension Event {
    static let checked = stepDone(.preflight)
    static let synced = stepDone(.syncing)
    static let installed = stepDone(.installing)
    static let resumeChosen = stepDone(.resuming)
}

/// The effects of an attempt, without the word `attempt` at each.
extension Effect {
    static let record = attempt(.record)
    static let train = attempt(.train)
    static let captureStall = attempt(.captureStall)
    static let fence = attempt(.fence)

    static func setUp(_ step: SetupStep) -> Effect { attempt(.setUp(step)) }
    static func tearDown(_ teardown: Teardown) -> Effect { attempt(.tearDown(teardown)) }
    static func finishAttempt(gracefully: Bool) -> Effect { attempt(.finishAttempt(gracefully: gracefully)) }
    static func schedule(_ pause: Duration) -> Effect { attempt(.schedule(pause)) }
    static func pause(_ pause: Duration) -> Effect { attempt(.pause(pause)) }
    static func publish(gracefully: Bool) -> Effect { attempt(.publish(gracefully: gracefully)) }
}

extension RunState {
    /// The state after `events`.
    init(_ events: Event...) {
        self.init()
        for event in events { _ = handle(event) }
    }

    /// The attempt in `state` if nothing goes wrong on the way.
    static func at(_ state: AttemptState) -> RunState {
        switch state {
        case .claiming: RunState()
        case .preflight: RunState(.claimed)
        case .syncing: RunState(.claimed, .checked)
        case .installing: RunState(.claimed, .checked, .synced)
        case .resuming: RunState(.claimed, .checked, .synced, .installed)
        case .training: RunState(.claimed, .checked, .synced, .installed, .resumeChosen)
        case .finishing: RunState(.claimed, .checked, .synced, .installed, .resumeChosen, .trainingEnded(.code(0)))
        case .waiting:
            RunState(
                .claimed, .checked, .synced, .installed, .resumeChosen, .trainingEnded(.code(3)),
                .attemptFinished(.retry(after: .seconds(10))))
        case .ended:
            RunState(
                .claimed, .checked, .synced, .installed, .resumeChosen, .trainingEnded(.code(0)), .attemptFinished(nil))
        }
    }
}
