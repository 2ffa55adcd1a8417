internal import FoundationEssentials
internal import Shared

/// Makes this agent the run's only writer, by creating the claim of the next attempt.
///
/// An agent waits here while the owner of the highest attempt lives, and never disturbs it.
struct Claiming: Sendable {
    let run: RunFolder
    let spec: RunSpec
    let pod: String
    /// This agent's processes, `init` first.
    let processes: [ProcessIdentity]
    /// Address of this agent's API, which goes into the claim.
    var address: String?
    /// An owner counts as dead once its heartbeat has been unchanged for this time, on this agent's own clock.
    var timeout: Duration = .seconds(30)

    enum Result: Sendable {
        /// This attempt trains.
        case owned(Claim)
        /// This attempt finishes an earlier one, whose training has ended with this outcome.
        case finishing(Claim, Outcome)
        /// This attempt waits for the rest of the pause after an earlier one, which failed.
        case waiting(Claim, Outcome, rest: Duration)
        /// The launch is over. Only the pod is left to be ended.
        case over(Outcome?)
    }

    /// Returns once the run is claimed, or the launch is found to be over. Calls `waiting` with a sentence about each
    /// owner for which it has to wait.
    func claim(waiting: @Sendable (String) -> Void) async throws -> Result {
        var watch: Watch?
        var damaged: (number: Int, since: ContinuousClock.Instant)?
        var ignored: Set<Int> = []
        while true {
            switch try await DedicatedThread.run({ [ignored] in try check(ignoring: ignored) }) {
            case .damaged(let number):
                if damaged?.number != number {
                    damaged = (number, .now)
                    waiting("waiting for the claim of attempt \(number), which cannot be read")
                } else if let damaged, damaged.since.duration(to: .now) >= timeout {
                    ignored.insert(number)
                }
                try await Task.sleep(for: .seconds(1))
            case .over(let outcome):
                return .over(outcome)
            case .free(let previous, let number):
                if let result = try await DedicatedThread.run({ try take(number, after: previous) }) { return result }
                // Another agent was faster. It is checked like any other owner.
                watch = nil
            case .held(let owner, let number, let beat, let isProvenAlive):
                if watch?.owner != owner {
                    watch = Watch(owner: owner, beat: beat, at: .now)
                    waiting("waiting for pod \(owner.pod), which owns attempt \(owner.number)")
                } else if watch?.isUnchanged(beat, at: .now, for: timeout) == true && !isProvenAlive {
                    if let result = try await DedicatedThread.run({ try take(number, after: owner) }) { return result }
                    watch = nil
                    continue
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }

    private enum Owner: Sendable {
        case over(Outcome?)
        /// Nothing owns the run. `number` is the next attempt's.
        case free(after: Claim?, number: Int)
        case held(by: Claim, number: Int, beat: [UInt8], isProvenAlive: Bool)
        /// The highest claim cannot be made sense of. It may be half written.
        case damaged(Int)
    }

    /// The heartbeat of an owner under observation.
    struct Watch {
        /// The longest allowed time between two observations. After a longer gap the timeout begins again: the volume
        /// or this machine was stopped, and a healthy owner's heartbeat may have been stopped with it.
        static let longestGap = Heartbeat.interval

        let owner: Claim
        private var beat: [UInt8]
        private var unchangedSince: ContinuousClock.Instant
        private var lastObserved: ContinuousClock.Instant

        init(owner: Claim, beat: [UInt8], at now: ContinuousClock.Instant) {
            self.owner = owner
            self.beat = beat
            unchangedSince = now
            lastObserved = now
        }

        /// Returns true once the heartbeat has been unchanged for `timeout`, observed without a gap longer than
        /// `longestGap`. `new` is the content just read, `now` the time at which that read finished.
        mutating func isUnchanged(_ new: [UInt8], at now: ContinuousClock.Instant, for timeout: Duration) -> Bool {
            if new != beat || lastObserved.duration(to: now) > Self.longestGap {
                beat = new
                unchangedSince = now
            }
            lastObserved = now
            return unchangedSince.duration(to: now) >= timeout
        }
    }

    /// `ignored` are damaged claims that stayed so.
    private func check(ignoring ignored: Set<Int>) throws -> Owner {
        if let known = try run.spec(), known.projectMarks.isDisjoint(with: spec.projectMarks) {
            throw Problem("run \"\(spec.run)\" belongs to another project", hint: "give this one another name")
        }
        let numbers = try run.claimNumbers()
        let claims = try numbers.compactMap { try run.usableClaim($0) }
        // Without any whole claim nothing tells whose the run is: this throws, and names the damaged file.
        if claims.isEmpty { _ = try run.claims() }
        let number = (numbers.last ?? 0) + 1
        if let highest = numbers.last, claims.last?.number != highest, !ignored.contains(highest) {
            return .damaged(highest)
        }
        guard let last = claims.last else { return .free(after: nil, number: number) }
        let isOwn = spec.launch.covers(last.launch)
        if !isOwn, claims.contains(where: { spec.launch.covers($0.launch) }) {
            // A newer launch took over, so that this pod has nothing left to do.
            return .over(nil)
        }
        let record = try run.usableRecord(last.number)
        if let record, record.state == .ended {
            let isDone = spec.launch.isBlind == true && record.outcome?.kind == .finished
            let isOver =
                try isOwn && record.outcome?.kind.endsLaunch == true || isDone && record.spec == spec.fingerprint
            return isOver ? .over(record.outcome) : .free(after: last, number: number)
        }
        switch last.isAlive {
        case true? where last.processes != processes:
            return .held(by: last, number: number, beat: [], isProvenAlive: true)
        case true?, false?:
            return .free(after: last, number: number)
        case nil:
            if last.pod == pod || spec.launch.supersedes.contains(last.pod) {
                return .free(after: last, number: number)
            }
            let beat = (try? File.readRegular(run.beatPath(last.number), limit: 64 << 10)) ?? []
            return .held(by: last, number: number, beat: beat, isProvenAlive: false)
        }
    }

    /// Creates the claim of attempt `number`, the one after `previous`. Returns nil if another agent took the number
    /// first.
    private func take(_ number: Int, after previous: Claim?) throws -> Result? {
        try run.clearOwnFolders { Console.say("\"\($0)\" was no folder: moved to \"\($1)\"") }
        try File.makeFolders(run.attempts)
        try File.makeFolders(run.logs)
        if let previous {
            try Orphans(of: previous).end()
            // On a full volume this frees the room for the claim.
            try File.remove(run.reservePath(previous.number))
        }
        let log = try LogStream(of: run)
        // A dead owner may have left bytes unsynced. The new segment's name depends on them, so they must not get lost.
        try log.sync()
        let claim = Claim(
            number: number, pod: pod, launch: spec.launch.id,
            lineage: try lineage(after: previous), logStart: try log.end,
            stream: [UInt8].random(count: 8).hexadecimal, processes: processes, claimed: Date(),
            address: address)
        let path = run.claimPath(claim.number)
        let created = try File.createExclusively(path, with: try JSON.encode(claim), staging: "\(path).\(claim.stream)")
        guard created else { return nil }
        let record = if let previous { try run.usableRecord(previous.number) } else { nil as AttemptRecord? }
        try Predecessor.close(before: claim, in: run, spec: spec)
        guard let previous, spec.launch.covers(previous.launch) else { return .owned(claim) }
        return try resume(claim, after: previous, record)
    }

    /// Decides what to do after an attempt of the same launch. `record` is that attempt's record as its agent left it.
    private func resume(_ claim: Claim, after previous: Claim, _ record: AttemptRecord?) throws -> Result {
        guard let record, let outcome = record.outcome else {
            let attempts = try Predecessor.attempts(before: claim, of: spec, in: run)
            // An agent that died before its first record does not undo the decision of the attempt before it.
            if let last = attempts.last(where: { $0.outcome?.kind != .agentCrash }), last.state == .ended,
                let outcome = last.outcome, outcome.kind.endsLaunch
            {
                return .finishing(claim, outcome)
            }
            let reason = RetryRule(policy: spec.retry).reasonToStop(afterCrash: attempts)
            guard let reason else { return .owned(claim) }
            return .finishing(claim, Outcome(.agentCrash, message: reason))
        }
        if record.state == .waiting {
            let rest = record.next?.timeIntervalSinceNow ?? 0
            // This agent itself made the previous attempt, and has waited for all of the pause.
            let hasWaited = previous.processes == processes && !processes.isEmpty
            if hasWaited || rest < 1 { return .owned(claim) }
            // The limit is for a clock that was set back. A pause has up to 20 % of jitter on top.
            return .waiting(claim, outcome, rest: .seconds(min(rest, 1.2 * RetryRule.maxPause)))
        }
        // An attempt whose training had ended, or was asked to stop, is finished and not repeated, even if its agent
        // died before.
        let isLeft = record.state == .finishing && outcome.kind != .interrupted
        return isLeft || outcome.kind.endsLaunch ? .finishing(claim, outcome) : .owned(claim)
    }

    /// Returns the claim's lineage. A forced launch begins a new one with its first attempt, and its later attempts
    /// keep it.
    private func lineage(after previous: Claim?) throws -> String {
        let isContinued = previous.map { spec.launch.covers($0.launch) } ?? false
        guard spec.launch.force, !isContinued else { return previous?.lineage ?? spec.launch.id }
        try Lineage.begin(spec.launch.id, in: run, spec: spec)
        return spec.launch.id
    }
}
