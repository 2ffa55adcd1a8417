internal import Glibc
internal import Shared

/// Hard links to the files of the newest proven numbered checkpoint, `kept/.spare`. They take no room as long as the
/// checkpoint exists, and survive a trainer that deletes it before it saves the next one.
///
/// A trainer that writes into the same files changes the spare too; its receipt shows that. All functions block.
struct Spare: Sendable {
    let receipts: Receipts

    private static let receiptName = "receipt.json"

    private var folder: String { receipts.run.spare }

    private func content(of receipt: Receipt, in folder: String) -> String { "\(folder)/files/\(receipt.name)" }

    /// Makes `receipt`'s checkpoint the spare one. A file system without hard links, or another one than the run's,
    /// gets none.
    func keep(_ receipt: Receipt) throws {
        guard !receipt.hasFixedName else { return }
        try receipts.checkOwner()
        let staging = "\(receipts.run.kept)/.spare.new"
        try File.removeTree(staging)
        for file in receipt.files {
            let source = CheckpointFolder.path(of: file.name, in: receipt.path)
            let target = CheckpointFolder.path(of: file.name, in: content(of: receipt, in: staging))
            try File.makeFolders(target.parentFolder)
            // A link of the trainer may lead anywhere: the spare needs the file itself.
            guard linkat(AT_FDCWD, source, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0 else {
                return try File.removeTree(staging)
            }
        }
        try File.replace("\(staging)/\(Self.receiptName)", with: try JSON.encode(receipt))
        try File.removeTree(folder)
        try File.move(staging, to: folder)
        try File.syncFolder(of: folder)
    }

    /// Returns the receipt of the spare checkpoint of this lineage if no checkpoint is in its place and it is whole.
    /// Reads it whole if the machine restarted meanwhile.
    func usable() throws -> Receipt? {
        let path = "\(folder)/\(Self.receiptName)"
        guard try File.exists(path),
            let receipt = try? JSON.decode(
                Receipt.self, from: try File.readRegular(path, limit: RunFolder.largeFile)),
            receipt.isConfined, receipt.lineage == receipts.claim.lineage,
            try !File.exists(receipts.place(of: receipt)),
            try difference(of: receipt) == nil
        else { return nil }
        return receipt
    }

    private func difference(of receipt: Receipt) throws -> String? {
        let names = receipt.files.map(\.name)
        let companions = names.filter { $0.hasPrefix("../") }.map { String($0.dropFirst(3)) }
        let content = content(of: receipt, in: folder)
        guard try File.exists(content) else { return "is missing" }
        let found = try CheckpointContent(of: content, with: companions).statuses(and: names)
        if let difference = receipt.difference(from: found) ?? receipt.changedTime(in: found) { return difference }
        if receipt.boot == receipts.boot && !receipt.boot.isEmpty { return nil }
        let known = receipt.hashes
        var sums = FileSums()
        sums.isCancelled = receipts.isCancelled
        let changed = try sums.of(content, with: companions).first { known[$0.name] != $0.sha256.description }
        return changed.map { "\($0.name) has other bytes" }
    }

    /// Moves the spare checkpoint back to where it was saved, and writes its receipt.
    func restore(_ receipt: Receipt) throws {
        try receipts.checkOwner()
        let place = receipts.place(of: receipt)
        let content = content(of: receipt, in: folder)
        try File.makeFolders(place.parentFolder)
        // The main file comes last, so that no training finds it without the others.
        for file in receipt.files where file.name.hasPrefix("../") {
            try File.move(
                CheckpointFolder.path(of: file.name, in: content), to: CheckpointFolder.path(of: file.name, in: place))
        }
        try File.move(content, to: place)
        try File.syncFolder(of: place)
        var restored = receipt
        restored.path = place
        try receipts.write(restored)
        try File.removeTree(folder)
    }
}

extension Receipts {
    /// The path at which the checkpoint of `receipt` was saved.
    func place(of receipt: Receipt) -> String { "\(folder.path)/\(receipt.name)" }
}
