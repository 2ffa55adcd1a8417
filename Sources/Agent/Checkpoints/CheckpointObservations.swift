internal import Shared

/// What was seen of checkpoints from one look to the next.
struct CheckpointObservations: Sendable {
    private struct Observation {
        var files: [String: FileStatus]
        var isNumbered: Bool
        /// When its save was seen first, and since when it is as it is.
        var first: ContinuousClock.Instant
        var since: ContinuousClock.Instant
        /// When its save began, in nanoseconds since 1970, and the last step that the training had told of then.
        var began: Int
        var stepAtSave: Double?
        /// The files that this save has written.
        var written: Set<String>
        /// It was proven, so that what changes is the next save.
        var isOver = false
        /// The training's step at the first look that found nothing changed.
        var step: Double??
        /// It is not ready before.
        var notBefore: ContinuousClock.Instant?
    }

    /// What was there before the training began, by name: none of it was saved by this one.
    private let found: [String: [String: FileStatus]]
    private var seen: [String: Observation] = [:]
    private(set) var proven: [String: Receipt]
    /// Of fixed names: what is copied of them as it is now, and before when no copy is tried again.
    private var copied: [String: Receipt] = [:]
    private var noCopy: [String: (receipt: Receipt, pause: Duration, until: ContinuousClock.Instant)] = [:]
    private var looks = 0
    /// The names of what changed and was not looked at since.
    var changed: Set<String> = []
    /// Those of the last look that this training saved.
    private var own: Set<String> = []
    /// When the training began, in nanoseconds since 1970.
    private let begun: Int

    init(found: [CheckpointFolder.Candidate] = [], proven: [String: Receipt] = [:], begun: Int = 0) {
        self.begun = begun
        self.found = Dictionary(found.map { ($0.name, $0.files) }) { first, _ in first }
        self.proven = proven
    }

    /// The names of those of which nothing new is expected.
    var known: Set<String> { Set(found.keys).subtracting(seen.keys).union(proven.keys) }

    /// Counts a look, and returns whether it is one of those that look at everything.
    mutating func beginLook(fullOneIn count: Int) -> Bool {
        looks += 1
        return looks % count == 0
    }

    /// Forgets those that were deleted, so that a long training costs no more memory than a short one. The newest that was proven still tells
    /// which files one has.
    mutating func forget(allBut there: Set<String>) {
        let newest = proven.values.compactMap(\.step).max()
        proven = proven.filter { name, receipt in
            there.contains(name) || receipt.step == nil || receipt.step == newest
        }
        seen = seen.filter { name, sighting in there.contains(name) || !sighting.isNumbered }
    }

    /// One that this training saved has no receipt yet.
    var isWaiting: Bool { !own.isSubset(of: proven.keys) }

    /// Notes what is there now, and returns what this training saved, has no receipt, and has been quiet for long enough.
    /// `date` is now in nanoseconds since 1970; `born` tells when a file of a checkpoint was created, where the file system does.
    mutating func note(
        _ candidates: [CheckpointFolder.Candidate], step: Double?, at now: ContinuousClock.Instant, date: Int,
        born: (CheckpointFolder.Candidate, String) -> Int?
    ) -> [CheckpointFolder.Candidate] {
        let own = candidates.filter { proven[$0.name] == nil && found[$0.name] != $0.files && !$0.files.isEmpty }
        self.own = Set(own.map(\.name))
        for candidate in own {
            guard let sighting = seen[candidate.name], sighting.files == candidate.files else {
                seen[candidate.name] = sighting(of: candidate, step: step, at: now, date: date, born: born)
                continue
            }
            if sighting.step == nil { seen[candidate.name]?.step = .some(step) }
        }
        return own.filter { candidate in
            guard let sighting = seen[candidate.name] else { return false }
            return sighting.since.duration(to: now) >= CheckpointWatch.quiet && (sighting.notBefore ?? now) <= now
        }
    }

    /// Of one that has changed since the last look. A fixed name that was quiet is saved again where a file is written once more.
    private func sighting(
        of candidate: CheckpointFolder.Candidate, step: Double?, at now: ContinuousClock.Instant, date: Int,
        born: (CheckpointFolder.Candidate, String) -> Int?
    ) -> Observation {
        let old = seen[candidate.name]?.files ?? found[candidate.name] ?? [:]
        let written = candidate.files.filter { old[$0.key] != $0.value }
        if var sighting = seen[candidate.name], !sighting.isOver,
            candidate.step != nil || sighting.since.duration(to: now) < CheckpointWatch.quiet
                || sighting.written.isDisjoint(with: written.keys)
        {
            sighting.files = candidate.files
            sighting.written.formUnion(written.keys)
            (sighting.since, sighting.step, sighting.notBefore) = (now, nil, nil)
            return sighting
        }
        // What was written before the save before had ended is none of this one: a copy may have the times of what it is a copy of.
        let earliest = max(begun, seen.values.flatMap { $0.files.values.map(\.modified) }.max() ?? 0)
        let times = written.flatMap { [$0.value.modified, born(candidate, $0.key) ?? 0] }
        let began = times.filter { $0 > earliest }.reduce(date, min)
        return Observation(
            files: candidate.files, isNumbered: candidate.step != nil, first: now, since: now, began: began,
            stepAtSave: step,
            written: Set(written.keys))
    }

    /// What was seen of its save; nil where it is not as it was seen last.
    func save(of checkpoint: CheckpointFolder.Candidate) -> Receipt.SeenSave? {
        guard let sighting = seen[checkpoint.name], sighting.files == checkpoint.files else { return nil }
        return Receipt.SeenSave(
            stepAtSave: sighting.stepAtSave, seconds: Double(max(0, checkpoint.modified - sighting.began)) / 1e9)
    }

    mutating func prove(_ receipt: Receipt) { proven[receipt.name] = receipt }

    /// It is not what its receipt says any more.
    mutating func void(_ name: String) {
        proven[name] = nil
        seen[name]?.isOver = true
    }

    /// nil where it is not proven, copied already, or to be copied later.
    func receiptToCopy(of name: String, at now: ContinuousClock.Instant) -> Receipt? {
        guard let receipt = proven[name], copied[name] != receipt else { return nil }
        if let failed = noCopy[name], failed.receipt == receipt, now < failed.until { return nil }
        return receipt
    }

    mutating func noteCopy(of receipt: Receipt) { copied[receipt.name] = receipt }

    /// For twice as long each time: on a volume that is over its quota each try takes for seconds what others need.
    mutating func postponeCopy(of receipt: Receipt, at now: ContinuousClock.Instant) {
        let last = noCopy[receipt.name].flatMap { $0.receipt == receipt ? $0.pause : nil }
        let pause = last.map { min($0 * 2, .seconds(3600)) } ?? .seconds(30)
        noCopy[receipt.name] = (receipt, pause, now + pause)
    }

    mutating func postpone(_ name: String, to time: ContinuousClock.Instant) {
        seen[name]?.notBefore = time
    }

    /// Of a fixed name: whether a file of it is still that of the save before.
    private func isLess(_ checkpoint: CheckpointFolder.Candidate) -> Bool {
        guard checkpoint.step != nil else {
            return seen[checkpoint.name].map { !Set(checkpoint.files.keys).isSubset(of: $0.written) } ?? false
        }
        let files = FileSet(checkpoint.files.mapValues(\.size))
        return proven.values.contains { $0.name != checkpoint.name && FileSet(of: $0).exceeds(files) }
    }

    /// Whether a later step was told of, or a later checkpoint begun, after nothing changed in this one any more.
    ///
    /// Where an earlier one has more files it has to have been quiet for longer: a training may go on beside its saves.
    func isFollowed(
        _ checkpoint: CheckpointFolder.Candidate, step: Double?, at now: ContinuousClock.Instant
    ) -> Bool {
        guard let sighting = seen[checkpoint.name], sighting.files == checkpoint.files, let then = sighting.step else {
            return false
        }
        if sighting.since.duration(to: now) < CheckpointWatch.quietOfLess, isLess(checkpoint) { return false }
        if let step, step > then ?? -.infinity { return true }
        return seen.contains { name, other in
            other.isNumbered && other.first > sighting.since + CheckpointWatch.interval
                && (CheckpointFolder.step(in: name) ?? 0) > checkpoint.step ?? -1
        }
    }
}
