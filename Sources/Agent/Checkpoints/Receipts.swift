internal import FoundationEssentials
internal import Glibc
internal import Shared

/// Writes the receipts of one attempt, and compares those of its lineage with the files on the volume.
///
/// All functions block, and may hang with the volume.
struct Receipts: Sendable {
    let run: RunFolder
    let folder: CheckpointFolder
    let claim: Claim
    /// Whether the caller wants no more. Asked before each write, and again and again during long reads.
    var isCancelled: @Sendable () -> Bool = { false }
    /// Writes a line to the run's log.
    var say: @Sendable (LogLine) -> Void = { _ in }
    /// The kernel's id of the machine's present boot.
    var boot = Self.currentBoot
    /// `checkpoints.keep`: how many proven checkpoints to keep, and how many copies of each fixed name. If nil, all
    /// checkpoints are kept and no copies are made.
    let keep: Int?

    /// Returns nil if the spec has no `checkpoints`.
    init?(of spec: RunSpec, in run: RunFolder, for claim: Claim) {
        guard let folder = CheckpointFolder(of: spec, in: run) else { return nil }
        (self.run, self.folder, self.claim) = (run, folder, claim)
        keep = spec.checkpoints?.keep
    }

    private static let currentBoot = (try? File.read("/proc/sys/kernel/random/boot_id"))?.text.trimmed ?? ""

    // MARK: Existing checkpoints

    /// Returns the checkpoints of the lineage, the newest first, also empty ones. Does not read the files of the
    /// `names` to skip.
    func checkpoints(skipping names: Set<String> = []) throws -> [CheckpointFolder.Candidate] {
        let lineage = try Lineage.load(claim.lineage, in: run)
        return CheckpointFolder.newestFirst(try folder.all(skipping: names).filter { !lineage.inherited($0) })
    }

    /// Returns the receipts of the lineage by the checkpoint's name, also those of deleted checkpoints.
    func all() throws -> [String: Receipt] {
        let own = try run.allReceipts().filter { $0.lineage == claim.lineage }
        return Dictionary(own.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Returns why the checkpoint no longer matches `receipt`, or nil if it does.
    ///
    /// Compares names, sizes and times; with `hashing` also the content, which `sums` reads. Throws if a file or folder
    /// cannot be read.
    func difference(
        _ checkpoint: CheckpointFolder.Candidate, from receipt: Receipt, hashing: Bool, with sums: FileSums = FileSums()
    ) throws -> String? {
        let path = folder.path(of: checkpoint)
        let found = try CheckpointContent(of: path).statuses(and: receipt.files.map(\.name))
        if let difference = receipt.difference(from: found) { return difference }
        guard hashing else { return nil }
        var sums = sums
        sums.isCancelled = isCancelled
        let known = receipt.hashes
        let changed = try sums.of(path).first { known[$0.name] != $0.sha256.description }
        return changed.map { "\($0.name.isEmpty ? checkpoint.name : $0.name) has other bytes than its receipt" }
    }

    /// Returns evidence from the files of `checkpoint` that its save has ended, or nil. Its formats must have found no
    /// damage.
    ///
    /// The evidence: it has the same set of files as one of `siblings`, so that none is missing. The `openEnded` files,
    /// whose formats do not show a lost end, must have the same sizes too. A folder with a fixed name never gives
    /// evidence: a file that is still to be written is there from the save before.
    func evidence(
        of checkpoint: CheckpointFolder.Candidate, like siblings: some Collection<Receipt>, openEnded: [String]
    ) -> Receipt.Evidence? {
        if checkpoint.step == nil {
            return checkpoint.files.keys.elementsEqual([""]) && openEnded.isEmpty ? .ownEnd : nil
        }
        let files = FileSet(checkpoint.files.mapValues(\.size))
        let sets = siblings.filter { $0.name != checkpoint.name }.map { FileSet(of: $0) }
        let isAll = sets.contains { files.equals($0, openEnded: openEnded) } && !sets.contains { $0.exceeds(files) }
        return isAll ? .sameFiles : nil
    }

    // MARK: Proof

    /// Hashes a checkpoint whose save has ended, brings it to stable storage, and returns the receipt for `write`.
    ///
    /// If `sums` bypasses the cache, the checkpoint is first synced and then read from the disk. Throws a `Problem` if
    /// the checkpoint changes meanwhile or cannot be read, and `CancellationError`.
    func prove(
        _ checkpoint: CheckpointFolder.Candidate, by evidence: Receipt.Evidence, seen save: Receipt.SeenSave? = nil,
        with sums: FileSums = FileSums()
    ) throws -> Receipt {
        let path = folder.path(of: checkpoint)
        var sums = sums
        sums.isCancelled = isCancelled
        if sums.bypassesCache { try sync(path) }
        let files = try sums.of(path)
        if !sums.bypassesCache { try sync(path) }
        let receipt = Receipt(
            of: folder.reference(to: checkpoint), attempt: claim.number, lineage: claim.lineage, evidence: evidence,
            proven: Date(), boot: boot,
            files: files.map {
                Receipt.SavedFile(
                    name: $0.name, size: $0.size, modified: $0.modified, sha256: $0.sha256.description)
            }, save: save)
        if let change = receipt.difference(from: try CheckpointContent(of: path).statuses()) {
            throw Problem("\"\(path)\" changed while it was read: \(change)")
        }
        return receipt
    }

    func write(_ receipt: Receipt) throws {
        try checkOwner()
        if try !File.exists(run.receipts) {
            try File.makeFolders(run.receipts)
            try File.syncFolder(of: run.receipts)
        }
        try File.replace(run.receiptPath(of: receipt.name), with: try JSON.encode(receipt, pretty: true))
        // Receipts of deleted checkpoints showed which files to expect. Now this receipt shows it.
        for old in try all().values {
            guard let step = old.step, step < receipt.step ?? step, try !File.exists(old.path) else { continue }
            try File.remove(run.receiptPath(of: old.name))
        }
    }

    /// Counts the lineage's checkpoints. `proven` is the newest one that a restart would accept as proven.
    ///
    /// Checks formats and hashes nothing. `isFollowed` returns whether the training continued after a checkpoint's
    /// save.
    func count(isFollowed: (CheckpointFolder.Candidate) -> Bool = { _ in false }) throws -> CheckpointCount {
        let all = try checkpoints().filter { !$0.files.isEmpty }
        let known = try self.all()
        let proven = try all.first { checkpoint in
            if let receipt = known[checkpoint.name] {
                if try difference(checkpoint, from: receipt, hashing: false) == nil { return true }
                if checkpoint.step != nil { return false }
            }
            guard let proof = try? CheckpointProof.examine(folder.path(of: checkpoint)), proof.isWhole else {
                return false
            }
            return isFollowed(checkpoint)
                || evidence(of: checkpoint, like: known.values, openEnded: proof.openEnded) != nil
        }
        return CheckpointCount(
            count: all.count, newest: all.first.map(folder.reference), proven: proven.map(folder.reference))
    }

    /// Throws `CancellationError` if the run has another owner by now. A stale agent must write no receipt.
    func checkOwner() throws {
        if try isCancelled() || run.isSuperseded(claim.number) { throw CancellationError() }
    }

    /// Brings all files and folders of the checkpoint to stable storage, and all folders above it up to the run's.
    func sync(_ path: String) throws {
        try FileSystem.syncTree(path)
        var path = path
        repeat {
            try File.syncFolder(of: path)
            path = path.parentFolder
        } while path.hasPrefix(run.path + "/")
    }

    // MARK: Torn checkpoints

    /// Moves a checkpoint to `torn/`, where no training finds it, and returns its new path. Deletes only its receipt.
    func moveToTorn(_ name: String) throws -> String {
        try checkOwner()
        let path = "\(folder.path)/\(name)"
        try File.makeFolders(run.torn)
        let target = File.free("\(run.torn)/\(name)")
        var moved = target
        if rename(path, target) != 0 {
            // The checkpoint folder is a link to another file system: move it to a hidden folder there.
            guard errno == EXDEV else { throw Problem("move \"\(path)\"", errno: errno) }
            moved = File.free("\(folder.path)/.torn/\(name)")
            try File.makeFolders(moved.parentFolder)
            try File.move(path, to: moved)
        }
        try File.syncFolder(of: moved)
        try File.syncFolder(of: path)
        try File.remove(run.receiptPath(of: name))
        return moved
    }
}

extension Receipt {
    /// The SHA-256 of each file by its path inside the checkpoint, in hexadecimal.
    var hashes: [String: String] { Dictionary(files.map { ($0.name, $0.sha256) }) { first, _ in first } }
}
