internal import FoundationEssentials
internal import Glibc
internal import Shared

/// Writes the receipts of one attempt, and holds those of its lineage against what is on the volume. All of it blocks, and may hang
/// with the volume.
struct Receipts: Sendable {
    let run: RunFolder
    let folder: CheckpointFolder
    let claim: Claim
    /// Asked before anything is written, and while much is read: whether the attempt goes on.
    var isCancelled: @Sendable () -> Bool = { false }
    /// Takes lines for the log.
    var say: @Sendable (LogLine) -> Void = { _ in }
    var boot = Self.currentBoot
    /// How many proven checkpoints are kept, and copies of each fixed name; nil: all, and no copies.
    let keep: Int?

    /// nil where the spec names no checkpoints.
    init?(of spec: RunSpec, in run: RunFolder, for claim: Claim) {
        guard let folder = CheckpointFolder(of: spec, in: run) else { return nil }
        (self.run, self.folder, self.claim) = (run, folder, claim)
        keep = spec.checkpoints?.keep
    }

    private static let currentBoot = (try? File.read("/proc/sys/kernel/random/boot_id"))?.text.trimmed ?? ""

    // MARK: What there is

    /// The checkpoints of the lineage, empty ones among them, the newest first. Nothing is asked of those to skip but their names.
    func checkpoints(skipping names: Set<String> = []) throws -> [CheckpointFolder.Candidate] {
        let lineage = try Lineage.load(claim.lineage, in: run)
        return CheckpointFolder.newestFirst(try folder.all(skipping: names).filter { !lineage.found($0) })
    }

    /// The receipts of the lineage by the checkpoint's name, those of checkpoints that are gone among them.
    func all() throws -> [String: Receipt] {
        let own = try run.allReceipts().filter { $0.lineage == claim.lineage }
        return Dictionary(own.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Why the checkpoint is not what `receipt` says any more; nil where it is. Content is read where `hashing`, with `sums`.
    /// Throws where the system does not tell.
    func difference(
        _ checkpoint: CheckpointFolder.Candidate, from receipt: Receipt, hashing: Bool, with sums: FileSums = FileSums()
    ) throws -> String? {
        let path = folder.path(of: checkpoint)
        let found = try CheckpointContent(of: path).statuses(and: receipt.files.map(\.name))
        if let difference = receipt.difference(from: found) { return difference }
        guard hashing else { return nil }
        var sums = sums
        sums.isCancelled = isCancelled
        let known = Dictionary(receipt.files.map { ($0.name, $0.sha256) }) { first, _ in first }
        let changed = try sums.of(path).first { known[$0.name] != $0.sha256.description }
        return changed.map { "\($0.name.isEmpty ? checkpoint.name : $0.name) holds other bytes than it did" }
    }

    /// What the files of `checkpoint`, which its formats do not contradict, tell of the end of its save: that they are those that an
    /// earlier one had, so that none is still to come. Those of `openEnded` have to be of the same sizes too. nil: nothing.
    ///
    /// In a folder of a fixed name they tell nothing: those that are still to be written are there from the save before.
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

    /// Reads all of a checkpoint whose save has ended, brings it to stable storage, and returns its receipt, which is for `write`.
    ///
    /// With `passesCache` what is on the disk is read, after it is there. Throws where it changes meanwhile or cannot be read, and
    /// `CancellationError`.
    func prove(
        _ checkpoint: CheckpointFolder.Candidate, by evidence: Receipt.Evidence, seen save: Receipt.SeenSave? = nil,
        with sums: FileSums = FileSums()
    ) throws -> Receipt {
        let path = folder.path(of: checkpoint)
        var sums = sums
        sums.isCancelled = isCancelled
        if sums.passesCache { try sync(path) }
        let files = try sums.of(path)
        if !sums.passesCache { try sync(path) }
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
        if !File.exists(run.receipts) {
            try File.makeFolders(run.receipts)
            try File.syncFolder(of: run.receipts)
        }
        try File.replace(run.receiptPath(of: receipt.name), with: try JSON.encode(receipt, pretty: true))
        // Until there was a newer one they told which files a checkpoint has.
        for old in try all().values {
            guard let step = old.step, step < receipt.step ?? step, try !File.isThere(old.path) else { continue }
            try File.remove(run.receiptPath(of: old.name))
        }
    }

    /// What there is of the lineage. What would be proven at a start is counted as proven; content is not read, but for what its formats tell.
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

    /// Throws where the run has another owner by now: what a stale training writes has no receipt.
    func checkOwner() throws {
        if try isCancelled() || run.isSuperseded(claim.number) { throw CancellationError() }
    }

    /// Brings all files and folders of the checkpoint to stable storage, and the folders on the way to it.
    func sync(_ path: String) throws {
        try Self.syncTree(path)
        var path = path
        repeat {
            try File.syncFolder(of: path)
            path = path.parentFolder
        } while path.hasPrefix(run.path + "/")
    }

    /// All is on its way to the disk before the first file is waited for. Without that each new file costs a write of the file system's
    /// journal, and ten thousand files many seconds.
    static func syncTree(_ path: String) throws {
        try each(of: path) { path, isFolder in
            if !isFolder { FileSystem.startWriting(path) }
        }
        try each(of: path) { path, _ in try File.sync(path) }
    }

    /// Hands over the regular files, and each folder after all that is in it.
    private static func each(of path: String, _ body: (_ path: String, _ isFolder: Bool) throws -> Void) throws {
        guard let status = File.status(path) else { return }
        if status.isFolder {
            for name in try File.list(path) { try each(of: "\(path)/\(name)", body) }
        }
        // To open a pipe would wait for whoever reads it, and a link to a folder leads out of the checkpoint.
        if status.isFolder || File.statusOfTarget(path)?.isFile == true { try body(path, status.isFolder) }
    }

    // MARK: Torn ones

    /// Moves a checkpoint out of the way of any training, and returns where it is now. Nothing is deleted but its receipt.
    func setAside(_ name: String) throws -> String {
        try checkOwner()
        let path = "\(folder.path)/\(name)"
        try File.makeFolders(run.torn)
        let target = Self.free("\(run.torn)/\(name)")
        var moved = target
        if rename(path, target) != 0 {
            // A folder that is a link to another file system: there, and under a name that is no checkpoint's.
            guard errno == EXDEV else { throw Problem("move \"\(path)\"", errno: errno) }
            moved = Self.free("\(folder.path)/.torn/\(name)")
            try File.makeFolders(moved.parentFolder)
            try File.move(path, to: moved)
        }
        try File.syncFolder(of: moved)
        try File.syncFolder(of: path)
        try File.remove(run.receiptPath(of: name))
        return moved
    }

    /// `path`, or the first of `path.2`, `path.3` … that nothing has.
    private static func free(_ path: String) -> String {
        if File.status(path) == nil { return path }
        var number = 2
        while File.status("\(path).\(number)") != nil { number += 1 }
        return "\(path).\(number)"
    }
}
