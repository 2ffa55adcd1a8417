internal import Glibc
internal import Shared

/// Copies of proven checkpoints of fixed names, `kept/NAME/TIME/NAME` with the receipt beside it.
///
/// A training saves over such a checkpoint in place, so that neither a link nor a clone of its blocks would be sure to keep the one before.
/// All of it blocks, and may hang with the volume.
struct KeptCopies: Sendable {
    let receipts: Receipts

    struct Copy: Sendable {
        /// The folder that holds the copy and its receipt.
        var folder: String
        /// Of what was copied.
        var receipt: Receipt

        var content: String { "\(folder)/\(receipt.name)" }
    }

    private static let receiptName = "receipt.json"

    private func folder(of name: String) -> String { "\(receipts.run.kept)/\(name)" }

    /// The copies of the lineage that have a receipt, the newest first.
    func all(of name: String) throws -> [Copy] {
        guard try File.isThere(folder(of: name)) else { return [] }
        return try File.list(folder(of: name)).reversed().compactMap { number in
            let folder = "\(folder(of: name))/\(number)"
            let path = "\(folder)/\(Self.receiptName)"
            guard Int(number) != nil, try File.isThere(path),
                let receipt = try? JSON.decode(Receipt.self, from: try File.read(path)),
                receipt.lineage == receipts.claim.lineage
            else { return nil }
            return Copy(folder: folder, receipt: receipt)
        }
    }

    // MARK: Making

    /// Copies what `receipt` proves, unless that is done already, and then deletes the copies that are too many by the rule.
    ///
    /// Throws where the checkpoint has changed meanwhile or there is no room, and then the older copies are still there.
    func keep(_ receipt: Receipt, bytesPerSecond: Int?) throws {
        guard let most = receipts.keep else { return }
        let earlier = try all(of: receipt.name)
        guard earlier.first?.receipt.files != receipt.files else { return }
        try receipts.checkOwner()
        let base = folder(of: receipt.name)
        let aside = "\(base)/new"
        try File.removeTree(aside)
        try File.makeFolders(aside)
        do {
            try checkRoom(for: receipt)
            try CheckpointCopy(bytesPerSecond: bytesPerSecond, isCancelled: receipts.isCancelled)
                .make(of: receipt, at: "\(receipts.folder.path)/\(receipt.name)", to: "\(aside)/\(receipt.name)")
            try File.replace("\(aside)/\(Self.receiptName)", with: try JSON.encode(receipt, pretty: true))
            try receipts.sync(aside)
            try receipts.checkOwner()
        } catch {
            try? File.removeTree(aside)
            throw error
        }
        let number = String(max(receipt.modified, 0), width: 20)
        try File.removeTree("\(base)/\(number)")
        try File.move(aside, to: "\(base)/\(number)")
        try File.syncFolder(of: "\(base)/\(number)")
        for copy in try all(of: receipt.name).dropFirst(max(1, most)) { try delete(copy) }
    }

    /// The training's next save needs some too.
    private func checkRoom(for receipt: Receipt) throws {
        guard let disk = DiskUsage.at(receipts.run.path), disk.free < 2 * receipt.size else { return }
        throw Problem("keep a copy of \"\(receipt.path)\"", errno: ENOSPC)
    }

    private func delete(_ copy: Copy) throws {
        // Without its receipt it is none.
        try File.remove("\(copy.folder)/\(Self.receiptName)")
        try File.syncFolder(of: "\(copy.folder)/\(Self.receiptName)")
        try File.removeTree(copy.folder)
    }

    // MARK: Putting back

    /// The newest copy that still holds the bytes of its receipt; all of it is read.
    func usable(_ name: String) throws -> Copy? {
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
            let known = Dictionary(copy.receipt.files.map { ($0.name, $0.sha256) }) { first, _ in first }
            let found = Dictionary(try sums.of(copy.content).map { ($0.name, $0.sha256.description) }) { first, _ in
                first
            }
            return known == found ? nil : "it holds other bytes than it did"
        } catch let problem as Problem {
            return "\(problem)"
        }
    }

    /// Puts a copy where it was saved, with its receipt, and returns that. Nothing may be in the place.
    func putBack(_ copy: Copy) throws -> Receipt {
        try receipts.checkOwner()
        // What a kill left of a copy takes room.
        try File.removeTree("\(folder(of: copy.receipt.name))/new")
        let place = "\(receipts.folder.path)/\(copy.receipt.name)"
        let aside = "\(receipts.folder.path)/.\(copy.receipt.name).pod-agent"
        try File.removeTree(aside)
        do {
            try CheckpointCopy(bytesPerSecond: nil, isCancelled: receipts.isCancelled)
                .make(of: copy.receipt, at: copy.content, to: aside)
            try Receipts.syncTree(aside)
            try File.move(aside, to: place)
        } catch let problem as Problem {
            // Better no copy of it than none of it in its place.
            try? File.removeTree(aside)
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
        // It is what it is, whether or not there is room to write that down.
        do {
            try receipts.write(receipt)
        } catch let problem as Problem {
            receipts.say(.noReceipt(receipt.path, problem: problem))
        }
        return receipt
    }
}
