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

    /// Returns the checkpoints of the lineage in no order, also empty ones. Does not read the files of the `names` to
    /// skip.
    func found(skipping names: Set<String> = []) throws -> [CheckpointFolder.Candidate] {
        let lineage = try Lineage.load(claim.lineage, in: run)
        return try folder.all(skipping: names).filter {
            !lineage.inherited($0) && !TrainerTable.isMarkBeside($0.name)
        }
    }

    /// Returns the checkpoints of the lineage, the newest first, also empty ones.
    func checkpoints() throws -> [CheckpointFolder.Candidate] {
        let known = try all()
        let history = try self.history()
        let ordered = try found().map { candidate in
            var candidate = candidate
            candidate.attempt = history.attempt(of: candidate)
            if let receipt = known[candidate.name], try difference(candidate, from: receipt, hashing: false) == nil {
                (candidate.attempt, candidate.saved) = (receipt.saver, receipt.reference.modified)
                candidate.step = receipt.step
            }
            return candidate
        }
        return CheckpointFolder.newestFirst(ordered)
    }

    /// Which attempt saved which checkpoint. At the start of a run all is older than the run. A later attempt without a
    /// history counts what has no receipt as its own, because it is likely the newest.
    func history() throws -> SaveHistory {
        if let history = try SaveHistory.load(run) { return history }
        let isFirst = try claim.number == 1 && all().isEmpty
        return SaveHistory(attempt: isFirst ? 0 : claim.number)
    }

    func write(_ history: SaveHistory) throws {
        try checkOwner()
        try File.replace(run.saves, with: try JSON.encode(history))
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
        let found = try statuses(of: checkpoint, and: receipt)
        if let difference = receipt.difference(from: found) ?? receipt.changedTime(in: found) { return difference }
        return hashing ? try changedBytes(of: checkpoint, from: receipt, with: sums) : nil
    }

    /// Returns a sentence about the first file whose bytes have another hash than the receipt's; nil if none has.
    func changedBytes(
        of checkpoint: CheckpointFolder.Candidate, from receipt: Receipt, with sums: FileSums = FileSums()
    ) throws -> String? {
        var sums = sums
        sums.isCancelled = isCancelled
        let known = receipt.hashes
        let changed = try sums.of(folder.path(of: checkpoint), with: companions(of: checkpoint, and: receipt)).first {
            known[$0.name] != nil && known[$0.name] != $0.sha256.description
        }
        return changed.map { "\($0.name.isEmpty ? checkpoint.name : $0.name) has other bytes than its receipt" }
    }

    /// Returns the status of each file of the checkpoint and of its receipt, links to files followed.
    func statuses(of checkpoint: CheckpointFolder.Candidate, and receipt: Receipt) throws -> [String: FileStatus] {
        try CheckpointContent(of: folder.path(of: checkpoint), with: checkpoint.companions)
            .statuses(and: receipt.files.map(\.name))
    }

    private func companions(of checkpoint: CheckpointFolder.Candidate, and receipt: Receipt) -> [String] {
        let known = receipt.files.map(\.name).filter { $0.hasPrefix("../") }.map { String($0.dropFirst(3)) }
        return Set(known + checkpoint.companions).sorted()
    }

    /// Checks the formats of a checkpoint's files.
    func examine(_ checkpoint: CheckpointFolder.Candidate) throws -> CheckpointProof {
        try CheckpointProof.examine(folder.path(of: checkpoint), with: checkpoint.companions)
    }

    /// Gives each receipt the times that its files have now if their bytes are the same: a copied volume has other
    /// times. Blocks, and reads those files whole.
    func renewTimes() throws {
        let known = try all()
        for checkpoint in try found() {
            guard let receipt = known[checkpoint.name], let found = try? statuses(of: checkpoint, and: receipt),
                receipt.difference(from: found) == nil, receipt.changedTime(in: found) != nil,
                try changedBytes(of: checkpoint, from: receipt) == nil
            else { continue }
            var renewed = receipt
            renewed.saved = receipt.saved ?? receipt.modified
            for (index, file) in receipt.files.enumerated() {
                renewed.files[index].modified = found[file.name]?.modified ?? file.modified
            }
            try write(renewed)
        }
    }

    /// Returns evidence from the files of `checkpoint` that its save has ended, or nil. Its formats must have found no
    /// damage.
    ///
    /// The evidence: it has the same set of files as one of `siblings`, so that none is missing; or the file that its
    /// trainer writes last; or a newer file beside it names it; or it `isFollowed` by a later save of its attempt. The
    /// `openEnded` files, whose formats do not show a lost end, must have known sizes too. A folder with a fixed name
    /// gives no such evidence: a file that is still to be written is there from the save before.
    func evidence(
        of checkpoint: CheckpointFolder.Candidate, like siblings: some Collection<Receipt>, openEnded: [String],
        isFollowed: Bool = false
    ) -> Receipt.Evidence? {
        if checkpoint.hasFixedName {
            return checkpoint.files.keys.elementsEqual([""]) && openEnded.isEmpty ? .ownEnd : nil
        }
        let files = FileSet(of: checkpoint)
        let saver = checkpoint.attempt ?? claim.number
        let others = siblings.filter { $0.name != checkpoint.name && !$0.hasFixedName }
        let sets = others.map { FileSet(of: $0) }
        if sets.contains(where: { $0.hasKindsMissing(in: files) }) { return nil }
        // With more ranks than before, the first half of a save has as many files as a whole one had.
        let isSame = zip(others, sets).contains { receipt, set in
            (!set.isByRank || receipt.saver == saver)
                && files.equals(set, openEnded: openEnded)
        }
        let ownSets = zip(others, sets).filter { $0.0.saver == saver }.map(\.1)
        if isSame, !ownSets.contains(where: { $0.exceeds(files) }) { return .sameFiles }
        let hasKnownSizes = sets.allSatisfy { files.hasKnownSizes(openEnded, in: $0) } || sets.isEmpty
        if let layout = TrainerTable.ended(checkpoint.files, name: checkpoint.name),
            layout.syncsFiles || hasKnownSizes
        {
            return .lastFile
        }
        // A host that lost its power may have lost the end of a file whose format does not show it.
        let isSameBoot = others.contains { $0.saver == saver && $0.boot == boot && !boot.isEmpty }
        if isFollowed, isSameBoot || openEnded.isEmpty { return .laterStep }
        guard hasKnownSizes else { return endedByItself(after: checkpoint) ? .ownExit : nil }
        if CheckpointPointers(folder: folder).nameAfterItsSave(checkpoint) { return .pointer }
        return endedByItself(after: checkpoint) ? .ownExit : nil
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
        if sums.bypassesCache { try sync(checkpoint) }
        let files = try sums.of(path, with: checkpoint.companions)
        if !sums.bypassesCache { try sync(checkpoint) }
        var reference = folder.reference(to: checkpoint)
        if reference.attempt == nil { reference.attempt = claim.number }
        let earlier = try all().values.filter { $0.saver == reference.attempt }
        reference.step = StepCheck.step(of: checkpoint, reported: save?.stepAtSave, earlier: earlier)
        let receipt = Receipt(
            of: reference, attempt: claim.number, lineage: claim.lineage, evidence: evidence, proven: Date(),
            boot: boot,
            files: files.map {
                Receipt.SavedFile(
                    name: $0.name, size: $0.size, modified: $0.modified, sha256: $0.sha256.description)
            }, save: save, name: checkpoint.name, isFixed: checkpoint.hasFixedName)
        let found = try statuses(of: checkpoint, and: receipt)
        let added = receipt.addedFile(in: found).map { "\($0) was added" }
        if let change = receipt.difference(from: found) ?? receipt.changedTime(in: found) ?? added {
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
        for old in try all().values where !old.hasFixedName && !receipt.hasFixedName {
            guard receipt.reference.isNewer(than: old.reference), try !File.exists(old.path) else { continue }
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
                if try !isNewSave(checkpoint, after: receipt) { return false }
            }
            guard let proof = try? examine(checkpoint), proof.isWhole else { return false }
            return isFollowed(checkpoint)
                || evidence(of: checkpoint, like: known.values, openEnded: proof.openEnded) != nil
        }
        return CheckpointCount(
            count: all.count, newest: all.first.map(folder.reference), proven: proven.map(folder.reference))
    }

    /// Returns the step that the training had reported when it saved the checkpoint; nil if that is unknown.
    func stepAtSave(of reference: CheckpointReference) -> Double? {
        (try? all())?.values.first { $0.path == reference.path }?.stepAtSave
    }

    /// Whether a checkpoint that changed a moment ago is known to be complete: nothing more is to be waited for.
    func isComplete(_ checkpoint: CheckpointFolder.Candidate) -> Bool {
        do {
            let known = try all()
            if let receipt = known[checkpoint.name],
                try difference(checkpoint, from: receipt, hashing: false) == nil
            {
                return true
            }
            let proof = try examine(checkpoint)
            return proof.isWhole && evidence(of: checkpoint, like: known.values, openEnded: proof.openEnded) != nil
        } catch { return false }
    }

    /// Whether a training wrote every file of a checkpoint again after `receipt`, so that no file is left of the older
    /// save: the same name or number is a new save then.
    func isNewSave(_ checkpoint: CheckpointFolder.Candidate, after receipt: Receipt) throws -> Bool {
        receipt.allTimesChanged(in: try statuses(of: checkpoint, and: receipt))
    }

    /// Throws `CancellationError` if the run has another owner by now. A stale agent must write no receipt.
    func checkOwner() throws {
        if try isCancelled() || run.isSuperseded(claim.number) { throw CancellationError() }
    }

    /// Brings a checkpoint with all its files to stable storage, and all folders above it up to the run's.
    func sync(_ checkpoint: CheckpointFolder.Candidate) throws {
        let path = folder.path(of: checkpoint)
        for name in checkpoint.companions { try FileSystem.syncTree(CheckpointFolder.path(of: "../\(name)", in: path)) }
        try sync(path)
    }

    /// Brings all files and folders at `path` to stable storage, and all folders above it up to the run's.
    func sync(_ path: String) throws {
        try FileSystem.syncTree(path)
        var path = path
        repeat {
            try File.syncFolder(of: path)
            path = path.parentFolder
        } while path.hasPrefix(run.path + "/")
    }

    // MARK: Torn checkpoints

    /// Moves a checkpoint with all its files to `torn/`, where no training finds it, and returns its new path. Deletes
    /// only its receipt.
    func moveToTorn(_ name: String, with companions: [String] = []) throws -> String {
        try checkOwner()
        let path = "\(folder.path)/\(name)"
        let moved = try moveAside(path, as: name)
        for companion in companions {
            let inner = CheckpointFolder.path(of: "../\(companion)", in: name)
            if try File.exists("\(folder.path)/\(inner)") { _ = try moveAside("\(folder.path)/\(inner)", as: inner) }
        }
        try File.remove(run.receiptPath(of: name))
        return moved
    }

    /// Moves what is at `path` to a free name below `torn/`, and returns its new path.
    private func moveAside(_ path: String, as name: String) throws -> String {
        let target = File.free("\(run.torn)/\(name)")
        try File.makeFolders(target.parentFolder)
        var moved = target
        if rename(path, target) != 0 {
            guard errno == EXDEV else { throw Problem("move \"\(path)\"", errno: errno) }
            moved = try moveToOtherTorn(path, as: name)
        }
        try File.syncFolder(of: moved)
        try File.syncFolder(of: path)
        return moved
    }

    /// The checkpoint folder is a link to another file system: moves the checkpoint to a folder beside it there.
    /// Inside, a training might take it for a checkpoint.
    private func moveToOtherTorn(_ path: String, as name: String) throws -> String {
        let moved = File.free("\(folder.realPath)-torn/\(name)")
        do {
            try File.makeFolders(moved.parentFolder)
            try File.move(path, to: moved)
            return moved
        } catch {
            // The folder is the root of its file system.
            let hidden = File.free("\(folder.realPath)/.torn/\(name)")
            guard File.identityOfDevice(folder.realPath) != File.identityOfDevice(folder.realPath.parentFolder) else {
                throw error
            }
            try File.makeFolders(hidden.parentFolder)
            try File.move(path, to: hidden)
            return hidden
        }
    }
}

extension File {
    /// The number of the file system at `path`; nil if nothing is there.
    fileprivate static func identityOfDevice(_ path: String) -> UInt? {
        var status = stat()
        return stat(path, &status) == 0 ? UInt(status.st_dev) : nil
    }
}

extension Receipt {
    /// The SHA-256 of each file by its path inside the checkpoint, in hexadecimal.
    var hashes: [String: String] { Dictionary(files.map { ($0.name, $0.sha256) }) { first, _ in first } }
}
