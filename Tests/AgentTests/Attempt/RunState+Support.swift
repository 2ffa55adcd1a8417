import Shared

@testable import Agent

extension Event {
    /// One of each, and of those with a payload one for each way the table may look at it.
    static let samples: [Event] = [
        .claimed, .claimedFinishing(Outcome(.failed, exit: .code(3))),
        .claimedWaiting(Outcome(.failed, exit: .code(3)), .seconds(7)), .launchOver(nil),
        .launchOver(Outcome(.failed, exit: .code(3))), .synced, .installed, .resumeChosen, .setupFailed("no"),
        .trainingEnded(.code(0)), .trainingEnded(.code(3)), .trainingEnded(.signal(9)), .outOfMemory, .settled(nil),
        .settled(.retry(after: .seconds(10))),
        .settled(.enough("enough")), .waited, .published, .meterEnded, .claimFailed,
        .terminated, .stopAsked(.graceful), .stopAsked(.now), .superseded, .stalled("still"), .examined, .abandoned,
        .overLimit("over"),
        .setupTimedOut("slow"),
    ]

    /// Without its payload. A new case is a compile error here, and then wants its samples.
    var name: String {
        switch self {
        case .claimed: "claimed"
        case .claimedFinishing: "claimedFinishing"
        case .claimedWaiting: "claimedWaiting"
        case .claimFailed: "claimFailed"
        case .launchOver: "launchOver"
        case .synced: "synced"
        case .installed: "installed"
        case .resumeChosen: "resumeChosen"
        case .setupFailed: "setupFailed"
        case .trainingEnded: "trainingEnded"
        case .outOfMemory: "outOfMemory"
        case .settled: "settled"
        case .waited: "waited"
        case .published: "published"
        case .meterEnded: "meterEnded"
        case .terminated: "terminated"
        case .stopAsked: "stopAsked"
        case .superseded: "superseded"
        case .stalled: "stalled"
        case .examined: "examined"
        case .abandoned: "abandoned"
        case .overLimit: "overLimit"
        case .setupTimedOut: "setupTimedOut"
        }
    }
}

extension RunState {
    /// After `events`.
    init(_ events: Event...) {
        self.init()
        for event in events { _ = handle(event) }
    }

    /// The plain way to `state`: nothing goes wrong.
    static func at(_ state: AttemptState) -> RunState {
        switch state {
        case .claiming: RunState()
        case .syncing: RunState(.claimed)
        case .installing: RunState(.claimed, .synced)
        case .resuming: RunState(.claimed, .synced, .installed)
        case .training: RunState(.claimed, .synced, .installed, .resumeChosen)
        case .finishing: RunState(.claimed, .synced, .installed, .resumeChosen, .trainingEnded(.code(0)))
        case .waiting:
            RunState(
                .claimed, .synced, .installed, .resumeChosen, .trainingEnded(.code(3)),
                .settled(.retry(after: .seconds(10))))
        case .ended: RunState(.claimed, .synced, .installed, .resumeChosen, .trainingEnded(.code(0)), .settled(nil))
        }
    }
}
