internal import Glibc
internal import Shared
internal import Synchronization

/// Compresses the complete segments of the log, and deletes the oldest ones above the configured size.
///
/// The file names alone say what is left to do, so that a kill at any moment is harmless. A sealed copy is written to a
/// staging file, synced and renamed, and its folder is synced. Only then is the plain segment removed.
final class LogSealer: Sendable {
    private struct State {
        /// The offsets of this attempt's segments in the log. The last segment is live.
        var own: [Int]
        /// The size of each sealed segment in bytes, by its offset.
        var sizes: [Int: Int] = [:]
        var isQueued = false
        /// An error occurred, and a retry is scheduled.
        var isRetryDue = false
        var failures = 0
        /// Since when a segment has been unreadable, by its offset.
        var unreadable: [Int: ContinuousClock.Instant] = [:]
    }

    private let run: RunFolder
    private let claim: Claim
    private let keep: Int
    private let volume: VolumeWriter
    /// Called when the sealed copy of one of this attempt's segments is on stable storage. `lost` are the bytes that it
    /// lacks.
    private let sealed: @Sendable (_ segment: Int, _ lost: Range<Int>) -> Void
    private let state: Mutex<State>
    private let pause: Duration
    private let timeout: Duration

    /// `pause` is the time between an error and the retry. Bytes that stay unreadable for `timeout` count as lost.
    init(
        _ claim: Claim, of run: RunFolder, keep: Int, volume: VolumeWriter, pause: Duration = .seconds(10),
        timeout: Duration = .seconds(120),
        sealed: @escaping @Sendable (_ segment: Int, _ lost: Range<Int>) -> Void
    ) {
        self.claim = claim
        self.run = run
        self.keep = keep
        self.volume = volume
        self.pause = pause
        self.timeout = timeout
        self.sealed = sealed
        state = Mutex(State(own: [claim.logStart]))
    }

    /// The number of passes that ended with an error.
    var failures: Int { state.withLock(\.failures) }

    /// Notes that the log continues in a new segment. Starts no pass while a retry is scheduled: on a volume that
    /// refuses writes one new segment may follow the other.
    func begin(_ segment: LiveSegment) {
        let isRetryDue = state.withLock { state in
            if state.own.last != segment.offset { state.own.append(segment.offset) }
            return state.isRetryDue
        }
        if !isRetryDue { enqueue() }
    }

    /// Starts a pass in the background, unless one is queued.
    func enqueue() {
        let isNew = state.withLock { state in
            defer { state.isQueued = true }
            return !state.isQueued
        }
        if isNew { volume.sealing.enqueue { [self] in work() } }
    }

    private func work() {
        state.withLock { $0.isQueued = false }
        do {
            try sealAll()
        } catch {
            let isFirst = state.withLock { state in
                defer { state.isRetryDue = true }
                state.failures += 1
                return !state.isRetryDue
            }
            guard isFirst else { return }
            Console.complain(error)
            Task { [self] in
                try? await Task.sleep(for: pause)
                state.withLock { $0.isRetryDue = false }
                enqueue()
            }
        }
    }

    /// Whether the run has another owner, or that cannot be read. The folder then belongs to the other owner.
    private var isOver: Bool { volume.isFenced() || (try? run.isSuperseded(claim.number)) != false }

    /// Does one pass: seals each complete segment, and deletes the oldest ones above the limit. Blocks.
    func sealAll() throws(Problem) {
        let own = state.withLock(\.own)
        var names = try File.list(run.logs)
        if isOver { return }
        for name in names where name.hasSuffix(".log.gz.new") { try File.remove("\(run.logs)/\(name)") }
        // Segments of a stale agent: after a long stop it may write or rename one although the run has another owner.
        let strangers = names.compactMap { LogSegment(name: $0) }.filter { segment in
            segment.attempt ?? claim.number < claim.number && segment.offset >= claim.logStart
                || segment.isCompressed && segment.offset >= claim.logStart && !own.contains(segment.offset)
        }
        names.removeAll { name in strangers.contains { $0.name == name } }
        let stream = LogSegment.stream(of: names)
        let segments = names.compactMap { LogSegment(name: $0) }.filter { $0.offset < own.last ?? 0 }
        for segment in strangers + segments where !stream.contains(segment) {
            try File.remove("\(run.logs)/\(segment.name)")
        }
        for (segment, next) in zip(stream, stream.dropFirst()) where segment.offset < own.last ?? 0 {
            if isOver { return }
            if segment.isCompressed { continue }
            if let count = try seal(segment, length: next.offset - segment.offset), segment.offset >= claim.logStart {
                sealed(segment.offset, segment.offset + count..<next.offset)
            }
            try removeOldest()
        }
        try removeOldest()
    }

    /// Returns how many bytes the segment had; nil if the run has another owner.
    private func seal(_ segment: LogSegment, length: Int) throws(Problem) -> Int? {
        let plain = "\(run.logs)/\(segment.name)"
        let path = run.sealedSegmentPath(from: segment.offset)
        // The name has the attempt's number, because a stale agent may write its own copy at the same time.
        let staging = "\(path.dropLast(7))-a\(String(claim.number, width: 4)).log.gz.new"
        let count: Int
        let isReadable: Bool
        do throws(Errno) {
            (count, isReadable) = try compress(plain, of: segment, length: length, into: staging)
            if isOver {
                unlink(staging)
                return nil
            }
            try Errno.check { rename(staging, path) }
        } catch {
            unlink(staging)
            throw Problem("seal \"\(plain)\"", errno: error.code)
        }
        try File.syncFolder(of: path)
        // If the process dies here, the next pass removes the plain segment.
        if isReadable { try? File.remove(plain) } else { try moveToTorn(segment) }
        return count
    }

    /// Keeps an unreadable segment in `torn/`, because the volume may return its bytes one day.
    private func moveToTorn(_ segment: LogSegment) throws(Problem) {
        try File.makeFolders(run.torn)
        try File.move("\(run.logs)/\(segment.name)", to: "\(run.torn)/\(segment.name)")
        Console.say("\"\(segment.name)\" cannot be read; moved to \(run.torn)")
        state.withLock { $0.unreadable[segment.offset] = nil }
    }

    /// Returns if the unread bytes of a segment count as lost after `error`. Throws `error` if a retry may still read
    /// them.
    private func giveUp(_ segment: LogSegment, after error: Errno) throws(Errno) {
        // A volume reports these two for data whose only copy is gone. With others its server may come back.
        guard [EIO, ENXIO].contains(error.code) else { throw error }
        let since = state.withLock { state in
            let since = state.unreadable[segment.offset] ?? .now
            state.unreadable[segment.offset] = since
            return since
        }
        if since.duration(to: .now) < timeout { throw error }
    }

    /// Compresses a segment, and returns how many bytes it had. Zeros replace lost bytes, so that the others keep their
    /// offsets.
    private func compress(
        _ plain: String, of segment: LogSegment, length: Int, into staging: String
    ) throws(Errno) -> (count: Int, isReadable: Bool) {
        let input = try Errno.check { open(plain, O_RDONLY | O_CLOEXEC) }
        defer { close(input) }
        let output = try Errno.check { open(staging, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) }
        defer { close(output) }
        let deflater: Deflater
        do { deflater = try Deflater() } catch { throw Errno(ENOMEM) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        var rest = length
        var isReadable = true
        while rest > 0 && !volume.isFenced() {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(rest))
            let count: Int
            do {
                count = try File.read(input, into: part)
            } catch {
                try giveUp(segment, after: error)
                isReadable = false
                break
            }
            // The file ends early: the volume was over its quota, or its host died before it stored all bytes.
            if count == 0 { break }
            try deflater.add(UnsafeRawBufferPointer(rebasing: part[..<count])) { (bytes) throws(Errno) in
                try File.write(bytes, to: output)
            }
            rest -= count
        }
        let count = length - rest
        buffer.initializeMemory(as: UInt8.self, repeating: 0)
        while rest > 0 && !volume.isFenced() {
            let part = UnsafeRawBufferPointer(rebasing: buffer.prefix(rest))
            try deflater.add(part) { (bytes) throws(Errno) in try File.write(bytes, to: output) }
            rest -= part.count
        }
        try deflater.finish { (bytes) throws(Errno) in try File.write(bytes, to: output) }
        try Errno.check { fsync(output) }
        return (count, isReadable)
    }

    private func removeOldest() throws(Problem) {
        let segments = LogSegment.stream(of: try File.list(run.logs)).prefix { $0.isCompressed }
        let known = state.withLock(\.sizes)
        var sizes: [Int: Int] = [:]
        for segment in segments {
            sizes[segment.offset] = known[segment.offset] ?? File.status("\(run.logs)/\(segment.name)")?.size
        }
        var total = sizes.values.reduce(0, +)
        var first = segments.startIndex
        while total > keep, first < segments.endIndex {
            try File.remove("\(run.logs)/\(segments[first].name)")
            total -= sizes.removeValue(forKey: segments[first].offset) ?? 0
            first += 1
        }
        state.withLock { [sizes] in $0.sizes = sizes }
        if first > 0, first < segments.endIndex { try removeIndexes(before: segments[first].offset) }
    }

    /// Removes the indexes of deleted segments.
    private func removeIndexes(before begin: Int) throws(Problem) {
        let indexes = try File.list(run.logs).filter { LogIndex.begin(of: $0) != nil }
        for (name, next) in zip(indexes, indexes.dropFirst()) where LogIndex.begin(of: next) ?? .max <= begin {
            try File.remove("\(run.logs)/\(name)")
        }
    }
}
