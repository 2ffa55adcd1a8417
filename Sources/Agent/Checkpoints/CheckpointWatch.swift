internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// Watches what a training saves, and writes each checkpoint's receipt once there is evidence that its save has ended.
///
/// The training is not slowed down: the watch scans once a second, and not at all if the kernel reports no change.
/// A proof reads slowly and at the lowest priority.
final class CheckpointWatch: Sendable {
    /// The pause between two scans.
    static let interval: Duration = .seconds(1)
    /// A checkpoint must be unchanged for this time before it is proven.
    static let quiet: Duration = .seconds(2)
    /// The longer time for a checkpoint that has fewer files than an earlier one: its save may be in a pause.
    static let quietWithFewerFiles: Duration = .seconds(60)
    /// The longer time for the first checkpoint of several files: a save beside the training may pause between two.
    static let quietOfFirst: Duration = .seconds(10)
    /// The time after which a fixed name that is never quiet is proven between two saves.
    static let maxWait: Duration = .seconds(10)
    /// How fast proofs and copies read at most, so that they do not compete with the training.
    static let bytesPerSecond = 256 << 20
    /// One scan in 30 is full. The others skip a checkpoint that is proven, or older than the training, unless the
    /// kernel reports that it changed.
    private static let scansPerFullScan = 30

    private let receipts: Receipts
    /// The paths in the checkpoint folder of files that the training has open for writing.
    private let open: @Sendable () -> Set<String>
    /// When the file at a path was created, in nanoseconds since 1970; nil if the file system does not know.
    private let created: @Sendable (String) -> Int?
    /// The last step that the training reported.
    private let step: @Sendable () -> Double?
    private let changes: FolderChanges
    private let quietOfFirst: Duration
    private let observations: Mutex<CheckpointObservations>
    private let task = Mutex<Task<Void, Never>?>(nil)
    /// The last line about a failed copy, so that the same line is not written again.
    private let lastReported = Mutex<LogLine?>(nil)
    private let isStopped = Monitor(false)
    /// Fulfilled once the watch has stopped and writes no more receipts.
    let ended = Promise<Void>()

    init(
        receipts: Receipts, open: @escaping @Sendable () -> Set<String>,
        created: @escaping @Sendable (String) -> Int? = BirthTime.of, quietOfFirst: Duration = quietOfFirst,
        step: @escaping @Sendable () -> Double?
    ) {
        self.quietOfFirst = quietOfFirst
        observations = Mutex(CheckpointObservations(attempt: receipts.claim.number, quietOfFirst: quietOfFirst))
        var receipts = receipts
        receipts.isCancelled = { [isStopped] in isStopped.read { $0 } }
        (self.receipts, self.open, self.created, self.step) = (receipts, open, created, step)
        changes = FolderChanges(of: receipts.folder.path, concerns: { [folder = receipts.folder] in folder.isSave($0) })
    }

    /// Notes which checkpoints exist before the training begins. Blocks.
    func begin() throws {
        changes.begin()
        let found = try receipts.checkpoints()
        let proven = try receipts.all()
        var history = try receipts.history()
        history.begin(receipts.claim.number, found: found)
        try receipts.write(history)
        observations.withLock { [history] in
            $0 = CheckpointObservations(
                found: found, proven: proven, trainingBegan: Self.nanoseconds(Date()),
                attempt: receipts.claim.number, quietOfFirst: quietOfFirst)
            $0.distrusted = history.distrusted
        }
    }

    /// Scans once in each `interval` until `stop`.
    func start() {
        task.withLock { task in
            task = Task { [self] in
                while !isStopped.read({ $0 }) {
                    // If the volume hangs, only this thread hangs with it. The log reports other errors of the volume.
                    try? await DedicatedThread.run { [self] in
                        DedicatedThread.yieldToOthers()
                        try scan(at: .now)
                    }
                    try? await Task.sleep(for: Self.interval)
                }
                ended.fulfil(())
            }
        }
    }

    /// Ends the watch when the training has ended.
    func stop() {
        isStopped.update { $0 = true }
        task.withLock { task in
            if let task { task.cancel() } else { ended.fulfil(()) }
        }
    }

    /// Scans once: notes changes, and proves each checkpoint that is ready. Blocks. `now` and `date` are the same
    /// moment.
    func scan(at now: ContinuousClock.Instant, date: Date = Date()) throws {
        let isFull = observations.withLock { $0.beginScan(fullOneIn: Self.scansPerFullScan) }
        if isFull { changes.begin() }
        let reported = isFull ? nil : changes.take()
        let (proven, expectedUnchanged, changed, isWaiting) = observations.withLock {
            $0.changed.formUnion(reported?.names ?? [])
            return ($0.proven, $0.expectedUnchanged, $0.changed, $0.isWaiting)
        }
        let hasFixedNames = receipts.folder.hasFixedNames
        if reported != nil && changed.isEmpty && !hasFixedNames && !isWaiting { return }
        // Checkpoints of fixed names are saved again and again, so that each scan includes them.
        let skipped = expectedUnchanged.filter { name in
            !isFull && !receipts.folder.isFixed(name) && !changed.contains { receipts.folder.mayConcern(name, $0) }
        }
        let candidates = try receipts.found(skipping: skipped)
        observations.withLock {
            $0.changed = []
            if isFull { $0.forget(allBut: Set(candidates.map(\.name))) }
        }
        let nanoseconds = Self.nanoseconds(date)
        for candidate in candidates {
            // An error of the system on one checkpoint must not keep the scan from the others.
            guard let receipt = proven[candidate.name],
                (try? receipts.difference(candidate, from: receipt, hashing: false)) != nil
            else { continue }
            observations.withLock { $0.invalidate(candidate.name) }
        }
        try distrustEarlyReceipts(candidates, proven)
        let step = step()
        let renamed = committed(reported?.renamed ?? [:])
        let (quiet, siblings) = observations.withLock {
            let quiet = $0.note(candidates, step: step, renamed: renamed, at: now, date: nanoseconds) {
                [folder = receipts.folder, created] in
                created(CheckpointFolder.path(of: $1, in: folder.path(of: $0)))
            }
            // Only a copy outlives the next save.
            let others = receipts.keep == nil ? [] : candidates.filter { $0.hasFixedName && !quiet.contains($0) }
            return (quiet + $0.takeRestless(others, at: now), Array($0.proven.values))
        }
        if candidates.isEmpty { return }
        let ready = quiet.map { ($0, observed: observedEvidence(for: $0, at: now)) }
            .filter { $0.observed != nil || receipts.evidence(of: $0.0, like: siblings, openEnded: []) != nil }
        defer { keepCopies(of: candidates, at: now) }
        if ready.isEmpty { return }
        let open = open()
        for (candidate, observed) in ready {
            if open.contains(where: candidate.owns) {
                observations.withLock { $0.postpone(candidate.name, to: now + Self.quiet) }
            } else {
                try prove(candidate, observed: observed, like: siblings, at: now)
            }
        }
    }

    private func prove(
        _ candidate: CheckpointFolder.Candidate, observed: Receipt.Evidence?, like siblings: [Receipt],
        at now: ContinuousClock.Instant
    ) throws {
        let path = receipts.folder.path(of: candidate)
        do {
            let proof = try receipts.examine(candidate)
            let evidence =
                observed ?? receipts.evidence(of: candidate, like: siblings, openEnded: proof.openEnded)
            guard proof.isWhole, let evidence else {
                return observations.withLock { $0.postpone(candidate.name, to: now + .seconds(5)) }
            }
            let receipt = try receipts.prove(
                candidate, by: evidence, seen: save(of: candidate),
                with: FileSums(bytesPerSecond: Self.bytesPerSecond))
            try receipts.write(receipt)
            observations.withLock { $0.prove(receipt) }
            do {
                try Spare(receipts: receipts).keep(receipt)
                try receipts.prune()
            } catch let problem as Problem {
                Console.say("could not prune checkpoints: \(problem)")
            }
        } catch let problem as Problem {
            // The checkpoint changed or was deleted meanwhile, or the volume has no room for a receipt.
            observations.withLock { $0.postpone(candidate.name, to: now + .seconds(30)) }
            if (try? File.exists(path)) != false { Console.say("could not prove a checkpoint: \(problem)") }
        }
    }

    /// Returns the checkpoints among `renamed` that had a temporary name before.
    private func committed(_ renamed: [String: String]) -> Set<String> {
        Set(
            renamed.filter { name, old in
                (TemporaryName.isTemporary(old) || !receipts.folder.hasForm(old)) && !receipts.folder.isFixed(old)
                    && !receipts.folder.mayHaveCompanions(name)
            }.keys)
    }

    /// Returns what the watch itself has seen of the end of the checkpoint's save; nil if it saw nothing.
    private func observedEvidence(
        for checkpoint: CheckpointFolder.Candidate, at now: ContinuousClock.Instant
    ) -> Receipt.Evidence? {
        if wasFollowed(checkpoint, at: now) { return .laterStep }
        return observations.withLock { $0.wasRenamed(checkpoint) } ? .renamed : nil
    }

    /// Forgets a receipt that a later step or a rename proved if the training then added a file to the checkpoint: its
    /// save was only in a pause. Such evidence proves nothing in this run any more.
    private func distrustEarlyReceipts(
        _ candidates: [CheckpointFolder.Candidate], _ proven: [String: Receipt]
    ) throws {
        for candidate in candidates where !candidate.hasFixedName {
            guard let receipt = proven[candidate.name], [.laterStep, .renamed].contains(receipt.evidence),
                receipt.attempt == receipts.claim.number,
                let added = receipt.addedFile(in: candidate.files),
                !added.split(separator: "/").contains(where: Self.isHidden)
            else { continue }
            // The user may add files at any time: only a file of the save comes soon after the others.
            guard let time = candidate.files[added]?.modified, time > receipt.modified,
                time - receipt.modified < Self.maxPause.milliseconds * 1_000_000
            else { continue }
            var history = try receipts.history()
            history.distrust(receipt.evidence)
            try receipts.write(history)
            try File.remove(receipts.run.receiptPath(of: candidate.name))
            observations.withLock {
                $0.distrusted.insert(receipt.evidence)
                $0.invalidate(candidate.name)
            }
        }
    }

    /// The longest pause inside a save.
    private static let maxPause: Duration = .seconds(120)

    private static func isHidden(_ name: Substring) -> Bool { name.hasPrefix(".") }

    private static func nanoseconds(_ date: Date) -> Int { Int(date.timeIntervalSince1970 * 1e9) }

    /// Copies the proven checkpoints of fixed names before the training overwrites them.
    private func keepCopies(of candidates: [CheckpointFolder.Candidate], at now: ContinuousClock.Instant) {
        guard receipts.keep != nil else { return }
        for candidate in candidates where candidate.hasFixedName {
            let receipt = observations.withLock { $0.receiptToCopy(of: candidate.name, at: now) }
            guard let receipt else { continue }
            do {
                try KeptCopies(receipts: receipts).keep(receipt, bytesPerSecond: Self.bytesPerSecond)
                observations.withLock { $0.noteCopy(of: receipt) }
            } catch let problem as Problem {
                // The training saves the checkpoint again, or the volume has no room.
                observations.withLock { $0.postponeCopy(of: receipt, at: now) }
                reportOnce(.notKept(problem))
            } catch {}
        }
    }

    private func reportOnce(_ line: LogLine) {
        let isNew = lastReported.withLock { last in
            defer { last = line }
            return last != line
        }
        if isNew { receipts.say(line) }
    }

    /// Returns step and duration of a checkpoint's save; nil if it has changed since the last scan.
    func save(of checkpoint: CheckpointFolder.Candidate) -> Receipt.SeenSave? {
        observations.withLock { $0.save(of: checkpoint) }
    }

    /// Whether the training continued after this checkpoint's last change, which is evidence that its save has ended.
    func wasFollowed(_ checkpoint: CheckpointFolder.Candidate, at now: ContinuousClock.Instant = .now) -> Bool {
        let step = step()
        return observations.withLock { $0.isFollowed(checkpoint, step: step, at: now) }
    }
}
