internal import Shared

/// A run as it is at this moment: what its volume says, and whether its pod lives.
struct RunView: Sendable {
    let id: RunID
    let folder: RunFolder
    /// The newest pod that was made for it and is still known.
    let pod: Pod?
    let claims: [Claim]
    /// The highest attempt's record; nil where there is none, or where it died before it wrote one.
    let latest: AttemptRecord?

    init(id: RunID, volume: Volume, pod: Pod?) throws {
        self.id = id
        self.pod = pod
        folder = volume.run(id)
        claims = try folder.claims()
        latest = if let last = claims.last { try folder.readRecord(last.number) } else { nil }
    }

    enum State: Equatable {
        /// The pod lives and its agent has not claimed the run yet.
        case starting
        case active(AttemptState)
        case ended(OutcomeClass)
        /// The pod is gone and left no record of its end.
        case lost

        var word: String {
            switch self {
            case .starting: "starting"
            case .active(let state): state.rawValue
            case .ended(let kind): kind.rawValue
            case .lost: "lost"
            }
        }

        /// Whether there is a pod to attach to.
        var isLive: Bool {
            switch self {
            case .starting, .active: true
            case .ended, .lost: false
            }
        }
    }

    /// The record alone would say "training" for ever of a pod that was taken away.
    var state: State {
        let isOwner = pod.map { $0.id == claims.last?.pod } ?? false
        if let pod, pod.isRunning, !isOwner { return .starting }
        if let latest, latest.state == .ended {
            return latest.outcome.map { .ended($0.kind) } ?? .lost
        }
        let isAlive = isOwner && pod?.isRunning == true || claims.last?.isAlive == true
        guard isAlive else { return .lost }
        return latest.map { .active($0.state) } ?? .starting
    }

    /// Every attempt that left a record, in order.
    func attempts() throws -> [AttemptRecord] {
        try claims.compactMap { try folder.readRecord($0.number) }
    }
}
