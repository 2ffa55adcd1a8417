internal import FoundationEssentials
internal import Shared
internal import Synchronization

/// Looks at what a training saves, and gives each checkpoint its receipt once there is evidence that its save has ended.
///
/// The training is not held up: one look in a second, and none where the kernel tells that nothing changed; what a proof reads it reads
/// slowly, in time that nobody else wants.
final class CheckpointWatch: Sendable {
    static let interval: Duration = .seconds(1)
    static let quiet: Duration = .seconds(2)
    /// Of one that has less files than another.
    static let quietOfLess: Duration = .seconds(60)
    /// What of the memory's bandwidth a proof takes, and of the disk's where memory does not hold the checkpoint any more.
    static let bytesPerSecond = 256 << 20
    /// Files of a checkpoint that is proven, or was there before the training, are looked at once in so many looks, and where the kernel
    /// tells that they changed.
    private static let looksBetweenFullOnes = 30

    private let receipts: Receipts
    /// What the training has open for writing, by the checkpoint's name.
    private let open: @Sendable () -> Set<String>
    /// When the file at a path was created, in nanoseconds since 1970; nil where that is not told.
    private let born: @Sendable (String) -> Int?
    /// The last step that the training told of.
    private let step: @Sendable () -> Double?
    private let changes: FolderChanges
    private let sightings = Mutex(CheckpointObservations())
    private let task = Mutex<Task<Void, Never>?>(nil)
    /// Why there was no copy, so that it is said once.
    private let lastSaid = Mutex<LogLine?>(nil)
    private let isStopped = Monitor(false)
    /// Kept once nothing is proven here any more.
    let ended = Promise<Void>()

    init(
        receipts: Receipts, open: @escaping @Sendable () -> Set<String>,
        born: @escaping @Sendable (String) -> Int? = BirthTime.of, step: @escaping @Sendable () -> Double?
    ) {
        var receipts = receipts
        receipts.isCancelled = { [isStopped] in isStopped.read { $0 } }
        (self.receipts, self.open, self.born, self.step) = (receipts, open, born, step)
        changes = FolderChanges(of: receipts.folder.path, concerns: { [folder = receipts.folder] in folder.isSave($0) })
    }

    /// Notes what is there before the training begins. Blocks.
    func begin() throws {
        changes.begin()
        let found = try receipts.checkpoints()
        let proven = try receipts.all()
        sightings.withLock {
            $0 = CheckpointObservations(found: found, proven: proven, begun: Self.nanoseconds(Date()))
        }
    }

    /// Looks on until it is stopped.
    func start() {
        task.withLock { task in
            task = Task { [self] in
                while !isStopped.read({ $0 }) {
                    // A volume that hangs keeps this thread, and nobody waits for it. Its other troubles are told elsewhere.
                    try? await DedicatedThread.run { [self] in
                        DedicatedThread.yieldToOthers()
                        try look(at: .now)
                    }
                    try? await Task.sleep(for: Self.interval)
                }
                ended.fulfil(())
            }
        }
    }

    /// The training has ended.
    func stop() {
        isStopped.update { $0 = true }
        task.withLock { task in
            if let task { task.cancel() } else { ended.fulfil(()) }
        }
    }

    /// One look: notes what has changed, and proves what may be proven. Blocks. `date` is now too.
    func look(at now: ContinuousClock.Instant, date: Date = Date()) throws {
        let isFull = sightings.withLock { $0.beginLook(fullOneIn: Self.looksBetweenFullOnes) }
        if isFull { changes.begin() }
        let told = isFull ? nil : changes.take()
        let (proven, known, changed, isWaiting) = sightings.withLock {
            $0.changed.formUnion(told ?? [])
            return ($0.proven, $0.known, $0.changed, $0.isWaiting)
        }
        let names = receipts.folder.names
        if told != nil && changed.isEmpty && names.isEmpty && !isWaiting { return }
        // What is saved again and again is looked at each time.
        let skipped = isFull ? [] : known.subtracting(names).subtracting(changed)
        let candidates = try receipts.checkpoints(skipping: skipped)
        sightings.withLock {
            $0.changed = []
            if isFull { $0.forget(allBut: Set(candidates.map(\.name))) }
        }
        let nanoseconds = Self.nanoseconds(date)
        for candidate in candidates {
            // One of which the system does not tell is no reason to look at no other.
            guard let receipt = proven[candidate.name],
                (try? receipts.difference(candidate, from: receipt, hashing: false)) != nil
            else { continue }
            sightings.withLock { $0.void(candidate.name) }
        }
        let step = step()
        let (quiet, siblings) = sightings.withLock {
            let quiet = $0.note(candidates, step: step, at: now, date: nanoseconds) {
                [folder = receipts.folder, born] in
                born($1.isEmpty ? folder.path(of: $0) : "\(folder.path(of: $0))/\($1)")
            }
            return (quiet, Array($0.proven.values))
        }
        if candidates.isEmpty { return }
        let ready = quiet.map { ($0, isFollowed: wasFollowed($0, at: now)) }
            .filter { $0.isFollowed || receipts.evidence(of: $0.0, like: siblings, openEnded: []) != nil }
        defer { keepCopies(of: candidates, at: now) }
        if ready.isEmpty { return }
        let open = open()
        for (candidate, isFollowed) in ready {
            if open.contains(candidate.name) {
                sightings.withLock { $0.postpone(candidate.name, to: now + Self.quiet) }
            } else {
                try prove(candidate, isFollowed: isFollowed, like: siblings, at: now)
            }
        }
    }

    private func prove(
        _ candidate: CheckpointFolder.Candidate, isFollowed: Bool, like siblings: [Receipt],
        at now: ContinuousClock.Instant
    ) throws {
        let path = receipts.folder.path(of: candidate)
        do {
            let proof = try CheckpointProof.examine(path)
            let evidence =
                isFollowed
                ? .laterStep : receipts.evidence(of: candidate, like: siblings, openEnded: proof.openEnded)
            guard proof.isWhole, let evidence else {
                return sightings.withLock { $0.postpone(candidate.name, to: now + .seconds(5)) }
            }
            let receipt = try receipts.prove(
                candidate, by: evidence, seen: save(of: candidate),
                with: FileSums(bytesPerSecond: Self.bytesPerSecond))
            try receipts.write(receipt)
            sightings.withLock { $0.prove(receipt) }
            do { try receipts.prune() } catch let problem as Problem { Console.say("nothing is pruned: \(problem)") }
        } catch let problem as Problem {
            // It changed or went meanwhile, or there is no room for a receipt.
            sightings.withLock { $0.postpone(candidate.name, to: now + .seconds(30)) }
            if File.exists(path) { Console.say("no receipt: \(problem)") }
        }
    }

    private static func nanoseconds(_ date: Date) -> Int { Int(date.timeIntervalSince1970 * 1e9) }

    /// Copies what is proven of a fixed name before the training saves over it.
    private func keepCopies(of candidates: [CheckpointFolder.Candidate], at now: ContinuousClock.Instant) {
        guard receipts.keep != nil else { return }
        for candidate in candidates where candidate.step == nil {
            let receipt = sightings.withLock { $0.receiptToCopy(of: candidate.name, at: now) }
            guard let receipt else { continue }
            do {
                try KeptCopies(receipts: receipts).keep(receipt, bytesPerSecond: Self.bytesPerSecond)
                sightings.withLock { $0.noteCopy(of: receipt) }
            } catch let problem as Problem {
                // It is being saved again, or there is no room.
                sightings.withLock { $0.postponeCopy(of: receipt, at: now) }
                let line = LogLine.notKept(problem)
                if lastSaid.withLock({ said in
                    defer { said = line }
                    return said != line
                }) {
                    receipts.say(line)
                }
            } catch {}
        }
    }

    /// What was seen of the save of a checkpoint.
    func save(of checkpoint: CheckpointFolder.Candidate) -> Receipt.SeenSave? {
        sightings.withLock { $0.save(of: checkpoint) }
    }

    /// Whether the training went on after the checkpoint was there as it is now.
    func wasFollowed(_ checkpoint: CheckpointFolder.Candidate, at now: ContinuousClock.Instant = .now) -> Bool {
        let step = step()
        return sightings.withLock { $0.isFollowed(checkpoint, step: step, at: now) }
    }
}
