internal import FoundationEssentials
internal import Shared

/// Takes the right to be the run's one writer: the next attempt's number, by creating its claim.
///
/// A newcomer waits while the highest attempt's owner lives, and never disturbs it.
struct Claiming: Sendable {
    let run: RunFolder
    let spec: RunSpec
    let pod: String
    /// This agent's processes, `init` first.
    let processes: [ProcessIdentity]
    /// How long a beat has to stand still, on this agent's own clock, before its owner counts as dead.
    var patience: Duration = .seconds(30)

    enum Result: Sendable {
        /// This attempt trains.
        case owned(Claim)
        /// This attempt goes on with the end of one whose training is over.
        case finishing(Claim, Outcome)
        /// This attempt goes on with the pause of one that failed.
        case waiting(Claim, Outcome, rest: Duration)
        /// The launch is over: nothing is left to do but to end the pod.
        case over(Outcome?)
    }

    /// Returns once the run is claimed or the launch proves to be over. `waiting` is told, once for each, whom it waits for.
    func claim(waiting: @Sendable (String) -> Void) async throws -> Result {
        var watch: Watch?
        while true {
            switch try await DedicatedThread.run({ try look() }) {
            case .over(let outcome):
                return .over(outcome)
            case .free(let previous):
                if let result = try await DedicatedThread.run({ try take(after: previous) }) { return result }
                // Another newcomer was faster. It is looked at like any other owner.
                watch = nil
            case .held(let owner, let beat, let isProvenAlive):
                if watch?.owner != owner {
                    watch = Watch(owner: owner, beat: beat, at: .now)
                    waiting("waiting for pod \(owner.pod), which owns attempt \(owner.number)")
                } else if watch?.isStill(beat, at: .now, for: patience) == true && !isProvenAlive {
                    if let result = try await DedicatedThread.run({ try take(after: owner) }) { return result }
                    watch = nil
                    continue
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private enum Look: Sendable {
        case over(Outcome?)
        case free(after: Claim?)
        case held(by: Claim, beat: [UInt8], isProvenAlive: Bool)
    }

    /// A beat under observation.
    struct Watch {
        /// From one look to the next, the pause between them included. A longer gap says that the volume or this machine stood
        /// still, and a healthy owner's beat may have stood still with it.
        static let longestGap = Heartbeat.interval

        let owner: Claim
        private var beat: [UInt8]
        private var since: ContinuousClock.Instant
        private var lastLook: ContinuousClock.Instant

        init(owner: Claim, beat: [UInt8], at now: ContinuousClock.Instant) {
            self.owner = owner
            self.beat = beat
            since = now
            lastLook = now
        }

        /// Whether the beat has not changed for `patience` under looks that came in time. `new` is what the look found that is over `now`.
        mutating func isStill(_ new: [UInt8], at now: ContinuousClock.Instant, for patience: Duration) -> Bool {
            if new != beat || lastLook.duration(to: now) > Self.longestGap {
                beat = new
                since = now
            }
            lastLook = now
            return since.duration(to: now) >= patience
        }
    }

    private func look() throws -> Look {
        if let known = try run.spec()?.project, known != spec.project {
            throw Problem("run \"\(spec.run)\" belongs to another project", hint: "give this one another name")
        }
        let claims = try run.claims()
        guard let last = claims.last else { return .free(after: nil) }
        if last.launch != spec.launch.id, claims.contains(where: { $0.launch == spec.launch.id }) {
            // A newer launch took over; this pod belongs to the past.
            return .over(nil)
        }
        let record = try run.readRecord(last.number)
        if let record, record.state == .ended {
            let isOver = last.launch == spec.launch.id && record.outcome?.kind.endsLaunch == true
            return isOver ? .over(record.outcome) : .free(after: last)
        }
        switch last.isAlive {
        case true? where last.processes != processes:
            return .held(by: last, beat: [], isProvenAlive: true)
        case true?, false?:
            return .free(after: last)
        case nil:
            if last.pod == pod || spec.launch.supersedes.contains(last.pod) { return .free(after: last) }
            let beat = (try? File.read(run.beatPath(last.number))) ?? []
            return .held(by: last, beat: beat, isProvenAlive: false)
        }
    }

    /// nil where another newcomer took the number first.
    private func take(after previous: Claim?) throws -> Result? {
        try File.makeFolders(run.attempts)
        try File.makeFolders(run.logs)
        if let previous {
            try Orphans(of: previous).end()
            // On a full volume this is the room for the claim.
            try File.remove(run.reservePath(previous.number))
        }
        let log = try LogStream(of: run)
        // What a dead owner left unsynced may still go with this machine, and the new segment's name counts on it.
        try log.sync()
        let claim = Claim(
            number: (previous?.number ?? 0) + 1, pod: pod, launch: spec.launch.id,
            lineage: try lineage(after: previous), logStart: try log.end,
            stream: [UInt8].random(count: 8).hexadecimal, processes: processes, claimed: Date())
        let path = run.claimPath(claim.number)
        let created = try File.createExclusively(path, with: try JSON.encode(claim), aside: "\(path).\(claim.stream)")
        guard created else { return nil }
        let record = if let previous { try run.readRecord(previous.number) } else { nil as AttemptRecord? }
        try Predecessor.close(before: claim, in: run, spec: spec)
        guard let previous, previous.launch == claim.launch else { return .owned(claim) }
        return try goOn(claim, after: previous, record)
    }

    /// What is left to do of an attempt of the same launch. `record` is how its agent left it.
    private func goOn(_ claim: Claim, after previous: Claim, _ record: AttemptRecord?) throws -> Result {
        guard let record, let outcome = record.outcome else {
            let attempts = try Predecessor.attempts(before: claim, of: spec.run, in: run)
            // Agents that died before they had more on record than a claim take nothing back of what was decided before them.
            if let last = attempts.last(where: { $0.outcome?.kind != .agentCrash }), last.state == .ended,
                let outcome = last.outcome, outcome.kind.endsLaunch
            {
                return .finishing(claim, outcome)
            }
            let reason = RetryRule(policy: spec.retry).reasonToStop(afterCrash: attempts)
            return reason.map { .finishing(claim, Outcome(.agentCrash, message: $0)) } ?? .owned(claim)
        }
        if record.state == .waiting {
            let rest = record.next?.timeIntervalSinceNow ?? 0
            // The agent itself has waited for all of it. A clock that was set back makes no pause longer than the longest.
            return previous.processes == processes && !processes.isEmpty || rest < 1
                ? .owned(claim) : .waiting(claim, outcome, rest: .seconds(min(rest, 1.2 * RetryRule.longestPause)))
        }
        // Whoever was told to stop, and died before it had, does not train again either.
        let isLeft = record.state == .finishing && outcome.kind != .interrupted
        return isLeft || outcome.kind.endsLaunch ? .finishing(claim, outcome) : .owned(claim)
    }

    /// A forced launch begins a lineage of its own, once: its later attempts continue it.
    private func lineage(after previous: Claim?) throws -> String {
        guard spec.launch.force, previous?.launch != spec.launch.id else { return previous?.lineage ?? spec.launch.id }
        try Lineage.begin(spec.launch.id, in: run, spec: spec)
        return spec.launch.id
    }
}
