internal import Shared

/// The history of each checkpoint over the scans of one training: when it changed, and at which step.
struct CheckpointObservations: Sendable {
    private struct Observation {
        var files: [String: FileStatus]
        var isNumbered: Bool
        /// When a scan first saw this save.
        var firstSeen: ContinuousClock.Instant
        /// Since when nothing of the checkpoint has changed.
        var unchangedSince: ContinuousClock.Instant
        /// When its save began, in nanoseconds since 1970.
        var began: Int
        /// The last step that the training had reported when its save began.
        var stepAtSave: Double?
        /// The files that this save has written.
        var written: Set<String>
        /// The checkpoint was proven, so that the next change belongs to the next save.
        var wasProven = false
        /// The first scan that found nothing changed; nil until then.
        var quietScan: QuietScan?
        /// The checkpoint must not be proven before this time.
        var postponedUntil: ContinuousClock.Instant?
    }

    private struct QuietScan {
        /// The last step that the training had reported by then.
        var step: Double?
    }

    /// The files of each checkpoint that existed before the training began: this training did not save them.
    private let found: [String: [String: FileStatus]]
    private var seen: [String: Observation] = [:]
    private(set) var proven: [String: Receipt]
    /// For each fixed name the receipt of its newest copy.
    private var copied: [String: Receipt] = [:]
    /// For each fixed name the last copy that failed. The same receipt is not tried again before `until`.
    private var failedCopies: [String: (receipt: Receipt, pause: Duration, until: ContinuousClock.Instant)] = [:]
    private var scans = 0
    /// The names of checkpoints that changed since the last scan, as the kernel reports them.
    var changed: Set<String> = []
    /// The checkpoints in the last scan that this training saved and that had no receipt yet.
    private var unproven: Set<String> = []
    /// In nanoseconds since 1970.
    private let trainingBegan: Int

    /// The number of this training's attempt.
    private let attempt: Int
    /// Kinds of evidence that prove nothing in this run: a receipt was written in the pause of a save.
    var distrusted: Set<Receipt.Evidence> = []
    /// The checkpoints that were renamed from a temporary name and have not changed since.
    private var renamed: Set<String> = []
    /// For each unproven fixed name the time of its first change, or of the last try to prove it between two saves.
    private var waitingSince: [String: ContinuousClock.Instant] = [:]
    /// The time without a change after which a later step proves the first checkpoint of several files.
    private let quietOfFirst: Duration
    /// The files of the last saves that were followed by another one. They were complete, even if their checkpoints are
    /// deleted by now.
    private var followedSets: [FileSet] = []
    private static let maxFollowedSets = 4

    init(
        found: [CheckpointFolder.Candidate] = [], proven: [String: Receipt] = [:], trainingBegan: Int = 0,
        attempt: Int = 1, quietOfFirst: Duration = CheckpointWatch.quietOfFirst
    ) {
        self.quietOfFirst = quietOfFirst
        self.trainingBegan = trainingBegan
        self.attempt = attempt
        self.found = Dictionary(found.map { ($0.name, $0.files) }) { first, _ in first }
        self.proven = proven
    }

    /// The names of the checkpoints that are proven or older than the training: a scan may skip them.
    var expectedUnchanged: Set<String> { Set(found.keys).subtracting(seen.keys).union(proven.keys) }

    /// Counts a scan, and returns true for one in `count`: that one has to include every checkpoint.
    mutating func beginScan(fullOneIn count: Int) -> Bool {
        scans += 1
        return scans % count == 0
    }

    /// Forgets deleted checkpoints, so that memory stays bounded in a long training.
    ///
    /// The newest proven one is remembered all the same: later checkpoints are compared with its files.
    mutating func forget(allBut existing: Set<String>) {
        let newest = proven.values.filter { !$0.hasFixedName }.max { $1.reference.isNewer(than: $0.reference) }
        proven = proven.filter { name, receipt in
            existing.contains(name) || receipt.hasFixedName || name == newest?.name
        }
        seen = seen.filter { name, observation in existing.contains(name) || !observation.isNumbered }
        renamed.formIntersection(existing)
    }

    /// Whether a checkpoint that this training saved has no receipt yet. Then the watch scans although nothing changed.
    var isWaiting: Bool { !unproven.isSubset(of: proven.keys) }

    /// Notes the present state of `candidates`. Returns those that this training saved, that have no receipt, and that
    /// have been quiet for long enough.
    ///
    /// `date` is the present in nanoseconds since 1970. `created` returns when a file of a checkpoint was created, in
    /// the same unit; nil if the file system does not know.
    mutating func note(
        _ candidates: [CheckpointFolder.Candidate], step: Double?, renamed: Set<String> = [],
        at now: ContinuousClock.Instant, date: Int, created: (CheckpointFolder.Candidate, String) -> Int?
    ) -> [CheckpointFolder.Candidate] {
        self.renamed.formUnion(renamed)
        let saved = candidates.filter { proven[$0.name] == nil && found[$0.name] != $0.files && !$0.files.isEmpty }
        unproven = Set(saved.map(\.name))
        for candidate in saved {
            guard let last = seen[candidate.name], last.files == candidate.files else {
                seen[candidate.name] = observation(of: candidate, step: step, at: now, date: date, created: created)
                if !renamed.contains(candidate.name) { self.renamed.remove(candidate.name) }
                if candidate.hasFixedName, waitingSince[candidate.name] == nil { waitingSince[candidate.name] = now }
                continue
            }
            if last.quietScan == nil { seen[candidate.name]?.quietScan = QuietScan(step: step) }
        }
        return saved.filter { candidate in
            guard let last = seen[candidate.name] else { return false }
            return last.unchangedSince.duration(to: now) >= CheckpointWatch.quiet
                && (last.postponedUntil ?? now) <= now
        }
    }

    /// Returns the new observation of a checkpoint that changed since the last scan: the same save continued, or a new
    /// one.
    ///
    /// A fixed name has a new save if it was quiet or proven before, and a file is now written a second time.
    private mutating func observation(
        of candidate: CheckpointFolder.Candidate, step: Double?, at now: ContinuousClock.Instant, date: Int,
        created: (CheckpointFolder.Candidate, String) -> Int?
    ) -> Observation {
        let old = seen[candidate.name]?.files ?? found[candidate.name] ?? [:]
        let written = candidate.files.filter { old[$0.key] != $0.value }
        if var same = seen[candidate.name], !same.wasProven,
            !candidate.hasFixedName || same.unchangedSince.duration(to: now) < CheckpointWatch.quiet
                || same.written.isDisjoint(with: written.keys)
        {
            same.files = candidate.files
            same.written.formUnion(written.keys)
            (same.unchangedSince, same.quietScan, same.postponedUntil) = (now, nil, nil)
            return same
        }
        if !candidate.hasFixedName, seen[candidate.name] == nil {
            let others = seen.filter { $0.key != candidate.name && $0.value.isNumbered && $0.value.quietScan != nil }
            let sets = others.map { FileSet($0.value.files.mapValues(\.size), step: CheckpointFolder.step(in: $0.key)) }
            followedSets = (followedSets + sets).suffix(Self.maxFollowedSets)
        }
        // Times before the end of the last save do not count: a copied file may keep the times of its original.
        let earliest = max(trainingBegan, seen.values.flatMap { $0.files.values.map(\.modified) }.max() ?? 0)
        let times = written.flatMap { [$0.value.modified, created(candidate, $0.key) ?? 0] }
        let began = times.filter { $0 > earliest }.reduce(date, min)
        return Observation(
            files: candidate.files, isNumbered: !candidate.hasFixedName, firstSeen: now, unchangedSince: now,
            began: began, stepAtSave: step, written: Set(written.keys))
    }

    /// Returns step and duration of the checkpoint's save; nil if it has changed since the last scan.
    func save(of checkpoint: CheckpointFolder.Candidate) -> Receipt.SeenSave? {
        guard let last = seen[checkpoint.name], last.files == checkpoint.files else { return nil }
        let duration = Double(max(0, checkpoint.modified - last.began)) / 1e9
        return Receipt.SeenSave(stepAtSave: last.stepAtSave, seconds: duration)
    }

    mutating func prove(_ receipt: Receipt) {
        proven[receipt.name] = receipt
        waitingSince[receipt.name] = nil
    }

    /// Returns those fixed names among `candidates` that are unproven for `CheckpointWatch.maxWait`, because they are
    /// saved so often that they are never quiet. The same name is returned again after the same time.
    mutating func takeRestless(
        _ candidates: [CheckpointFolder.Candidate], at now: ContinuousClock.Instant
    ) -> [CheckpointFolder.Candidate] {
        candidates.filter { candidate in
            guard let since = waitingSince[candidate.name], since.duration(to: now) >= CheckpointWatch.maxWait,
                seen[candidate.name]?.files == candidate.files
            else { return false }
            waitingSince[candidate.name] = now
            return true
        }
    }

    /// Whether the training renamed the checkpoint from a temporary name, and no file is missing as far as known.
    func wasRenamed(_ checkpoint: CheckpointFolder.Candidate) -> Bool {
        renamed.contains(checkpoint.name) && seen[checkpoint.name]?.files == checkpoint.files
            && !distrusted.contains(.renamed) && (checkpoint.hasFixedName || !mayLackFiles(checkpoint))
    }

    /// The checkpoint no longer matches its receipt: it has to be proven again.
    mutating func invalidate(_ name: String) {
        proven[name] = nil
        seen[name]?.wasProven = true
    }

    /// Returns the receipt to copy; nil if the name is not proven, copied already, or to be tried again later.
    func receiptToCopy(of name: String, at now: ContinuousClock.Instant) -> Receipt? {
        guard let receipt = proven[name], copied[name] != receipt else { return nil }
        if let failed = failedCopies[name], failed.receipt == receipt, now < failed.until { return nil }
        return receipt
    }

    mutating func noteCopy(of receipt: Receipt) { copied[receipt.name] = receipt }

    /// Postpones the next try of a copy that failed, by 30 s and then twice as long each time, up to one hour.
    ///
    /// Each try on a volume over its quota takes room for seconds that the training may need.
    mutating func postponeCopy(of receipt: Receipt, at now: ContinuousClock.Instant) {
        var pause = Duration.seconds(30)
        if let failed = failedCopies[receipt.name], failed.receipt == receipt {
            pause = min(failed.pause * 2, .seconds(3600))
        }
        failedCopies[receipt.name] = (receipt, pause, now + pause)
    }

    mutating func postpone(_ name: String, to time: ContinuousClock.Instant) {
        seen[name]?.postponedUntil = time
    }

    /// Whether files may still be to come: an earlier checkpoint has more of them, or the save of a fixed name has not
    /// overwritten all.
    private func mayLackFiles(_ checkpoint: CheckpointFolder.Candidate) -> Bool {
        guard !checkpoint.hasFixedName else {
            guard let save = seen[checkpoint.name] else { return false }
            return !Set(checkpoint.files.keys).isSubset(of: save.written)
        }
        let files = FileSet(of: checkpoint)
        return numberedSiblings(of: checkpoint).contains { receipt in
            let set = FileSet(of: receipt)
            // An attempt with fewer ranks saves fewer files of a kind.
            return receipt.saver == attempt ? set.exceeds(files) : set.hasKindsMissing(in: files)
        }
    }

    private func numberedSiblings(of checkpoint: CheckpointFolder.Candidate) -> [Receipt] {
        proven.values.filter { $0.name != checkpoint.name && !$0.hasFixedName }
    }

    /// Whether the checkpoint has several files, and no earlier one shows which ones to expect.
    private func isFirstOfItsKind(_ checkpoint: CheckpointFolder.Candidate) -> Bool {
        if checkpoint.hasFixedName || checkpoint.files.keys.elementsEqual([""]) { return false }
        let files = FileSet(of: checkpoint)
        let known = numberedSiblings(of: checkpoint).map { FileSet(of: $0) } + followedSets
        return !known.contains { !files.hasKindsMissing(in: $0) }
    }

    /// Whether the training reported a later step, or began a later checkpoint, after this one's last change.
    ///
    /// A checkpoint that may lack files must have been quiet for longer: a training may continue while it saves.
    func isFollowed(
        _ checkpoint: CheckpointFolder.Candidate, step: Double?, at now: ContinuousClock.Instant
    ) -> Bool {
        guard let last = seen[checkpoint.name], last.files == checkpoint.files, let quietScan = last.quietScan else {
            return false
        }
        let quiet = last.unchangedSince.duration(to: now)
        if quiet < CheckpointWatch.quietWithFewerFiles, mayLackFiles(checkpoint) { return false }
        let isLongQuiet = quiet >= quietOfFirst || !isFirstOfItsKind(checkpoint)
        if let step, step > quietScan.step ?? -.infinity, isLongQuiet, !distrusted.contains(.laterStep) { return true }
        let number = CheckpointFolder.step(in: checkpoint.name)
        return seen.contains { name, other in
            other.isNumbered && other.firstSeen > last.unchangedSince + CheckpointWatch.interval
                && CheckpointFolder.step(in: name) != number
        }
    }
}
