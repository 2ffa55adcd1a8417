internal import Glibc
internal import Shared

/// Copies of proven checkpoints with fixed names, at `kept/NAME/TIME/NAME` with the receipt beside it.
///
/// A training overwrites such a checkpoint in place. A hard link or a clone of its blocks might therefore change with
/// it. All functions block, and may hang with the volume.
struct KeptCopies: Sendable {
    let receipts: Receipts

    struct Copy: Sendable {
        /// The folder that holds the copy and its receipt.
        var folder: String
        /// The receipt of the checkpoint that was copied.
        var receipt: Receipt

        var content: String { "\(folder)/\(receipt.name)" }
    }

    private static let receiptName = "receipt.json"

    private func folder(of name: String) -> String { "\(receipts.run.kept)/\(name)" }

    /// Returns the complete copies of this lineage, the newest first. A copy without a receipt is not complete.
    func all(of name: String) throws -> [Copy] {
        guard try File.exists(folder(of: name)) else { return [] }
        return try File.list(folder(of: name)).reversed().compactMap { number in
            let folder = "\(folder(of: name))/\(number)"
            let path = "\(folder)/\(Self.receiptName)"
            guard Int(number) != nil, try File.exists(path),
                let receipt = try? JSON.decode(
                    Receipt.self, from: try File.readRegular(path, limit: RunFolder.largeFile)),
                receipt.isConfined, receipt.name == name,
                receipt.lineage == receipts.claim.lineage
            else { return nil }
            return Copy(folder: folder, receipt: receipt)
        }
    }

    // MARK: Making

    /// Copies the checkpoint of `receipt` unless it is copied already, and then deletes copies above
    /// `checkpoints.keep`.
    ///
    /// Throws if the checkpoint has changed or the volume has no room. The older copies are still there then.
    func keep(_ receipt: Receipt, bytesPerSecond: Int?) throws {
        guard let maxCopies = receipts.keep else { return }
        let earlier = try all(of: receipt.name)
        guard earlier.first?.receipt.files != receipt.files else { return }
        try receipts.checkOwner()
        let base = folder(of: receipt.name)
        let staging = "\(base)/new"
        try File.removeTree(staging)
        try File.makeFolders(staging)
        do {
            try checkRoom(for: receipt)
            try CheckpointCopy(bytesPerSecond: bytesPerSecond, isCancelled: receipts.isCancelled)
                .make(of: receipt, at: "\(receipts.folder.path)/\(receipt.name)", to: "\(staging)/\(receipt.name)")
            try File.replace("\(staging)/\(Self.receiptName)", with: try JSON.encode(receipt, pretty: true))
            try receipts.sync(staging)
            try receipts.checkOwner()
        } catch {
            try? File.removeTree(staging)
            throw error
        }
        let number = String(max(receipt.modified, 0), width: 20)
        try File.removeTree("\(base)/\(number)")
        try File.move(staging, to: "\(base)/\(number)")
        try File.syncFolder(of: "\(base)/\(number)")
        for copy in try all(of: receipt.name).dropFirst(max(1, maxCopies)) { try delete(copy) }
    }

    /// Demands room for two copies: the training's next save needs as much.
    private func checkRoom(for receipt: Receipt) throws {
        guard let disk = DiskUsage.at(receipts.run.path), disk.free < 2 * receipt.size else { return }
        throw Problem("keep a copy of \"\(receipt.path)\"", errno: ENOSPC)
    }

    private func delete(_ copy: Copy) throws {
        // Without its receipt the copy no longer counts, so that a crash from here on is harmless.
        try File.remove("\(copy.folder)/\(Self.receiptName)")
        try File.syncFolder(of: "\(copy.folder)/\(Self.receiptName)")
        try File.removeTree(copy.folder)
    }

    // MARK: Restoring

    /// Returns the newest copy whose bytes still have the hashes of its receipt. Reads all of it.
    func newestUsable(_ name: String) throws -> Copy? {
        try all(of: name).first { copy in
            guard let change = try difference(of: copy) else { return true }
            receipts.say(.unusableCopy(copy.content, reason: change))
            return false
        }
    }

    private func difference(of copy: Copy) throws -> String? {
        var sums = FileSums()
        sums.isCancelled = receipts.isCancelled
        do {
            let known = copy.receipt.hashes
            let found = Dictionary(try sums.of(copy.content).map { ($0.name, $0.sha256.description) }) { first, _ in
                first
            }
            return known == found ? nil : "it has other bytes than its receipt"
        } catch let problem as Problem {
            return "\(problem)"
        }
    }

    /// Copies `copy` to the place where it was saved, and returns the receipt that it has there. Nothing may be there
    /// yet.
    func restore(_ copy: Copy) throws -> Receipt {
        try receipts.checkOwner()
        // A copy that a kill cut short takes room.
        try File.removeTree("\(folder(of: copy.receipt.name))/new")
        let place = "\(receipts.folder.path)/\(copy.receipt.name)"
        let staging = "\(place.parentFolder)/.\(place.lastComponent).pod-agent"
        try File.removeTree(staging)
        do {
            try CheckpointCopy(bytesPerSecond: nil, isCancelled: receipts.isCancelled)
                .make(of: copy.receipt, at: copy.content, to: staging)
            try FileSystem.syncTree(staging)
            try File.move(staging, to: place)
        } catch let problem as Problem {
            // Without room for both, a checkpoint in its place is worth more than a copy of it.
            try? File.removeTree(staging)
            guard rename(copy.content, place) == 0 else { throw problem }
            try delete(copy)
        }
        try File.syncFolder(of: place)
        var receipt = copy.receipt
        let times = try CheckpointContent(of: place).statuses()
        for index in receipt.files.indices {
            receipt.files[index].modified = times[receipt.files[index].name]?.modified ?? receipt.files[index].modified
        }
        receipt.path = place
        receipt.boot = receipts.boot
        // The checkpoint is restored even if the volume has no room for its receipt.
        do {
            try receipts.write(receipt)
        } catch let problem as Problem {
            receipts.say(.noReceipt(receipt.path, problem: problem))
        }
        return receipt
    }
}
