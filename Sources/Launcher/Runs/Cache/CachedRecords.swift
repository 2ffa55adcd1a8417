internal import Shared

/// The cached spec, claims, records, heartbeats and receipts of a run.
struct CachedRecords: Sendable {
    let files: RemoteFiles
    let folder: RunFolder

    /// The cache holds another run of the same name.
    struct OtherRun: Error {}

    private static let maxBytes = 64 << 20
    /// The newest attempts, whose records may change twice within one tick of the volume's clock.
    private static let changing = 2

    /// Brings spec and attempts up to date. Returns false if there is no such run.
    func refresh() async throws -> Bool {
        let entries = try await files.files(in: "attempts")?.filter { Self.attempt(of: $0) != nil }
        let hasSpec = try await fetch("run.json")
        guard let entries else { return hasSpec }
        let newest = entries.compactMap(Self.attempt).max() ?? 0
        // Claims come last: a reader that has a claim has the record that was there before it.
        for entry in entries.filter({ !$0.isClaim }) + entries.filter(\.isClaim) {
            let isChanging = !entry.isClaim && (Self.attempt(of: entry) ?? 0) > newest - Self.changing
            if isChanging || !isCached(entry, in: "attempts") { try await fetch("attempts/\(entry.name)") }
        }
        try removeOthers(than: entries, in: folder.attempts)
        return true
    }

    func refreshReceipts() async throws {
        let entries = (try await files.files(in: "receipts") ?? [])
            .filter { $0.name.hasSuffix(".json") && !$0.name.hasPrefix(".") }
        for entry in entries where !isCached(entry, in: "receipts") { try await fetch("receipts/\(entry.name)") }
        try removeOthers(than: entries, in: folder.receipts)
    }

    /// The attempt of `0003.claim`, `0003.json` or `0003.beat`; nil for any other entry.
    private static func attempt(of entry: FolderEntry) -> Int? {
        let parts = entry.name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, ["claim", "json", "beat"].contains(parts[1]),
            parts[0].count >= 4, parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        return Int(parts[0])
    }

    private func isCached(_ entry: FolderEntry, in name: String) -> Bool {
        let cached = File.status("\(folder.path)/\(name)/\(entry.name)")
        return cached?.size == entry.size && cached?.modified == entry.modified
    }

    /// Fetches a file unless the cache has it as it is. Returns whether there is such a file.
    @discardableResult
    private func fetch(_ name: String) async throws -> Bool {
        let path = "\(folder.path)/\(name)"
        let cached = File.status(path)
        switch try await files.change(of: name, since: cached, limit: Self.maxBytes) {
        case .none: return true
        case .gone:
            try File.remove(path)
            return false
        case .content(let bytes, let tag):
            if name.hasSuffix(".claim"), cached != nil, try File.read(path) != bytes { throw OtherRun() }
            try CacheFile.replace(path, with: bytes, modified: tag.modified)
            return true
        }
    }

    private func removeOthers(than entries: [FolderEntry], in folder: String) throws {
        guard try File.exists(folder) else { return }
        let names = Set(entries.map(\.name))
        for name in try File.list(folder) where !names.contains(name) && !CacheFile.isStaging(name) {
            // A claim is never removed from a run.
            if name.hasSuffix(".claim") { throw OtherRun() }
            try File.remove("\(folder)/\(name)")
        }
    }
}

extension FolderEntry {
    fileprivate var isClaim: Bool { name.hasSuffix(".claim") }
}
