internal import Shared

/// The cached log of a run: the segments that commands have asked for, in the form that the volume has them in.
///
/// Another command may read or fill the cache meanwhile, so bytes that are cached stay cached until the volume drops
/// them.
struct CachedLog: Sendable {
    let files: RemoteFiles
    let folder: RunFolder

    private static let maxSegmentBytes = 8 << 30
    /// Bytes at the end of the log that are enough for a screen.
    private static let endBytes = 1 << 20

    /// Downloads the index, and each segment that has bytes from `offset` on, as far as they are new.
    func refresh(from offset: Int) async throws { try await refresh { _ in offset } }

    /// Brings the end of the log up to date.
    func refreshEnd() async throws { try await refresh { ($0.last?.offset ?? 0) - Self.endBytes } }

    /// `start` gets the segments of the log and returns the offset of the first byte that is asked for.
    private func refresh(_ start: ([LogSegment]) -> Int) async throws {
        let entries = (try await files.files(in: "logs") ?? []).filter { Self.isLogName($0.name) }
        let segments = LogSegment.stream(of: entries.map(\.name))
        let offset = start(segments)
        let first = segments.lastIndex { $0.offset <= offset } ?? 0
        try File.makeFolders(folder.logs)
        let cached = try cachedSegments()
        let asked = segments[min(first, segments.count)...].map(\.name)
        let names = Set(asked + segments.filter { Self.isPart($0, of: cached) }.map(\.name))
        for entry in entries where names.contains(entry.name) || LogIndex.begin(of: entry.name) != nil {
            try await fetch(entry)
        }
        try removeOthers(than: Set(entries.map(\.name)))
    }

    private func cachedSegments() throws -> [LogSegment] {
        try File.list(folder.logs).compactMap { LogSegment(name: $0) }
    }

    /// Whether the cache needs `segment` although nothing of it may be asked for: it has the segment in some form, or a
    /// plain one of the same attempt. Of two plain segments of one attempt a reader takes the second for a sign of lost
    /// bytes if the first does not reach up to it.
    private static func isPart(_ segment: LogSegment, of cached: [LogSegment]) -> Bool {
        cached.contains {
            $0.offset == segment.offset || segment.attempt != nil && $0.attempt == segment.attempt
        }
    }

    /// Whether `name` is 20 digits and one of the endings of a log's files.
    private static func isLogName(_ name: String) -> Bool {
        guard name.utf8.prefix(20).count == 20, name.utf8.prefix(20).allSatisfy({ (0x30...0x39).contains($0) }) else {
            return false
        }
        return LogSegment(name: name) != nil || LogIndex.begin(of: name) != nil
    }

    /// Fetches the bytes that the cached file lacks. A sealed segment is fetched once and never changes.
    private func fetch(_ entry: FolderEntry) async throws {
        guard entry.size <= Self.maxSegmentBytes else { throw Problem("\"\(entry.name)\" is too long to be read") }
        let path = "\(folder.logs)/\(entry.name)"
        let cached = File.status(path)?.size
        if cached == entry.size { return }
        if entry.name.hasSuffix(".gz") { return try await fetchSealed(entry, to: path) }
        let (file, start) = (try CacheFile(path), cached ?? 0)
        if start < entry.size {
            try await files.copy("logs/\(entry.name)", start..<entry.size, to: file)
        } else if start > entry.size {
            // Another command has fetched bytes that came after this listing, or a live segment's end was lost with its
            // host.
            guard let size = try await files.size(of: "logs/\(entry.name)"), size < start else { return }
            try file.truncate(to: size)
        }
    }

    /// A fetch that was cut off is resumed by the next one.
    private func fetchSealed(_ entry: FolderEntry, to path: String) async throws {
        let staging = CacheFile.stagingPath(of: path, part: entry.name)
        let file = try CacheFile(staging)
        let begun = File.status(staging)?.size ?? 0
        if begun > entry.size { try file.truncate(to: 0) }
        let start = begun > entry.size ? 0 : begun
        if start < entry.size { try await files.copy("logs/\(entry.name)", start..<entry.size, to: file) }
        try file.sync()
        // Another command may have put the same segment in its place.
        do { try File.move(staging, to: path) } catch { guard try File.exists(path) else { throw error } }
    }

    /// Removes files that the volume has no more.
    private func removeOthers(than names: Set<String>) throws {
        for name in try File.list(folder.logs) where !names.contains(name) && !CacheFile.isStaging(name) {
            try File.remove("\(folder.logs)/\(name)")
        }
    }
}
