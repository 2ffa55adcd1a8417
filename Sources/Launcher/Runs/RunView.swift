internal import Shared

/// A run at one moment: what its volume says, and whether its owner lives.
struct RunView: Sendable {
    let run: KnownRun
    /// The run's files on this machine.
    let folder: RunFolder
    let claims: [Claim]
    /// Seen before `latest` was read, so that the record of an owner that is gone is its last one.
    let owner: Owner
    /// The highest attempt's record; nil if the attempt has not written one.
    let latest: AttemptRecord?
    /// Observations of the owner's heartbeat, if nothing else shows whether the owner lives.
    private(set) var heartbeat: HeartbeatWatch

    var id: RunID { run.id }
    var pod: Pod? { run.pod }
    /// The run's folder as its pod names it: the paths that a person is shown.
    var original: RunFolder { run.source.original.run(id) }

    private init(_ run: KnownRun, in folder: RunFolder, heartbeat: HeartbeatWatch) throws {
        self.run = run
        self.folder = folder
        self.heartbeat = heartbeat
        claims = try folder.claims()
        owner = Self.owner(of: run, claim: claims.last)
        latest = if let last = claims.last { try folder.readRecord(last.number) } else { nil }
    }

    /// Reads `run`, with `parts` of its files besides the records. Takes as long as `heartbeat` needs for its verdict
    /// if the owner cannot be seen from here.
    static func load(
        _ run: KnownRun, with parts: Set<RunPart> = [], heartbeat: HeartbeatWatch = HeartbeatWatch()
    ) async throws -> RunView {
        var heartbeat = heartbeat
        let source = run.source
        while true {
            let folder = try await source.folder(of: run.id, with: parts.union([.records]))
            var view = try RunView(run, in: folder, heartbeat: heartbeat)
            guard view.isWatched, let owner = view.claims.last else { return view }
            heartbeat.observe(try? File.read(folder.beatPath(owner.number)), of: owner.number)
            view.heartbeat = heartbeat
            if heartbeat.verdict != nil { return view }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// The same view with more of the run's files.
    func with(_ parts: Set<RunPart>) async throws -> RunView {
        let folder = try await run.source.folder(of: id, with: parts.union([.records]))
        return try RunView(run, in: folder, heartbeat: heartbeat)
    }

    enum State: Equatable {
        /// The pod lives and its agent has not claimed the run yet.
        case starting
        case active(AttemptState)
        case ended(OutcomeClass)
        /// The pod is gone and left no record of its end.
        case lost
        /// The owner cannot be seen from here, and its heartbeat does not show that it lives.
        case unknown

        var word: String {
            switch self {
            case .starting: "starting"
            case .active(let state): state.rawValue
            case .ended(let kind): kind.rawValue
            case .lost: "lost"
            case .unknown: "unknown"
            }
        }

        /// Whether there is an agent to attach to.
        var isLive: Bool {
            switch self {
            case .starting, .active: true
            case .ended, .lost, .unknown: false
            }
        }
    }

    /// The record alone would say "training" for ever if the pod was taken away.
    var state: State {
        if let pod, pod.isRunning, !isOwner(pod) { return .starting }
        if let latest, latest.state == .ended { return latest.outcome.map { .ended($0.kind) } ?? .lost }
        switch owner {
        case .alive: return activity
        case .gone: return .lost
        case .unseen: return heartbeat.verdict == .alive ? activity : .unknown
        }
    }

    /// Whether the provider took the pod away, which is seen by its proof that a spot pod has ended. A pod that it
    /// cannot take away was stopped by a person.
    var wasTakenAway: Bool {
        guard let pod, pod.hasEnded, pod.isSpot, !pod.isOver else { return false }
        return state == .lost || state == .ended(.interrupted)
    }

    private var activity: State { latest.map { .active($0.state) } ?? .starting }

    /// The agent that has the highest claim.
    enum Owner {
        case alive
        /// There is proof that it has ended, or there never was one.
        case gone
        case unseen
    }

    private static func owner(of run: KnownRun, claim: Claim?) -> Owner {
        guard let claim else {
            if case .unseen = run.pod?.state { return .unseen }
            return .gone
        }
        let pod = run.pod.flatMap { $0.id == claim.pod ? $0 : nil }
        if claim.isAlive == true || pod?.isRunning == true { return .alive }
        // Another pod of the run would be the one at hand if it ran.
        if run.provider.knowsAllPods, run.pod?.isRunning != true { return .gone }
        return claim.isAlive == false || pod?.hasEnded == true ? .gone : .unseen
    }

    private func isOwner(_ pod: Pod) -> Bool { pod.id == claims.last?.pod }

    /// Whether only the heartbeat can tell how the run is.
    private var isWatched: Bool { owner == .unseen && latest?.state != .ended && pod?.isRunning != true }

    /// Returns the record of each attempt that left one, in order. An attempt that is not over gets the step and the
    /// duration of its last heartbeat, because its record is written only when its state changes.
    func attempts() throws -> [AttemptRecord] {
        try claims.compactMap { claim in
            guard var record = try folder.readRecord(claim.number) else { return nil }
            if !record.isOver, let beat = folder.readBeat(claim.number) {
                record.step = beat.step ?? record.step
                record.lasted(until: beat.seconds)
            }
            return record
        }
    }
}
