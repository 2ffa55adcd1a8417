internal import Glibc
internal import Shared
internal import Synchronization

/// Compresses the segments that nobody appends to any more, and removes the oldest beyond what is to be kept.
///
/// What is to do follows from the names in the folder alone, so it may be killed at any instant and begun again:
/// written aside, synced, renamed, the folder synced, and only then is the plain segment removed.
final class LogSealer: Sendable {
    private struct State {
        /// First bytes of this attempt's segments. The last one is live.
        var own: [Int]
        /// Bytes on the volume, by offset.
        var sizes: [Int: Int] = [:]
        var isQueued = false
        /// After an error.
        var isRetryDue = false
        var failures = 0
        /// Since when a segment cannot be read, by its offset.
        var unreadable: [Int: ContinuousClock.Instant] = [:]
    }

    private let run: RunFolder
    private let claim: Claim
    private let keep: Int
    private let volume: VolumeWriter
    /// Told of each of this attempt's segments whose sealed copy is on stable storage, and of the bytes that it lacks.
    private let sealed: @Sendable (_ segment: Int, _ lost: Range<Int>) -> Void
    private let state: Mutex<State>
    private let pause: Duration
    private let patience: Duration

    /// `pause` is how long after an error it is tried again. What cannot be read for `patience` counts as lost by the volume.
    init(
        _ claim: Claim, of run: RunFolder, keep: Int, volume: VolumeWriter, pause: Duration = .seconds(10),
        patience: Duration = .seconds(120),
        sealed: @escaping @Sendable (_ segment: Int, _ lost: Range<Int>) -> Void
    ) {
        self.claim = claim
        self.run = run
        self.keep = keep
        self.volume = volume
        self.pause = pause
        self.patience = patience
        self.sealed = sealed
        state = Mutex(State(own: [claim.logStart]))
    }

    /// How often it met an error.
    var failures: Int { state.withLock(\.failures) }

    /// The log goes on in another segment. After an error that is no reason to try again early: a volume that takes nothing may see
    /// one segment begun after the other.
    func begin(_ segment: LiveSegment) {
        let isRetryDue = state.withLock { state in
            if state.own.last != segment.offset { state.own.append(segment.offset) }
            return state.isRetryDue
        }
        if !isRetryDue { enqueue() }
    }

    /// Has all that can be done now done in the background.
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

    /// Whether the run has another owner, or may have: the folder is that one's from then on.
    private var isOver: Bool { volume.isFenced() || (try? run.isSuperseded(claim.number)) != false }

    /// Blocks until it is done.
    func sealAll() throws(Problem) {
        let own = state.withLock(\.own)
        var names = try File.list(run.logs)
        if isOver { return }
        for name in names where name.hasSuffix(".log.gz.new") { try File.remove("\(run.logs)/\(name)") }
        // An agent that was stopped for long may rename or begin one after its run had another owner.
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

    /// Returns how many bytes the segment had; nil where this attempt's turn is over.
    private func seal(_ segment: LogSegment, length: Int) throws(Problem) -> Int? {
        let plain = "\(run.logs)/\(segment.name)"
        let path = run.sealedSegmentPath(from: segment.offset)
        // Another agent may be at it, too, if it does not know yet that it is not its turn any more.
        let aside = "\(path.dropLast(7))-a\(String(claim.number, width: 4)).log.gz.new"
        let count: Int
        let isReadable: Bool
        do throws(Errno) {
            (count, isReadable) = try compress(plain, of: segment, length: length, into: aside)
            if isOver {
                unlink(aside)
                return nil
            }
            try Errno.check { rename(aside, path) }
        } catch {
            unlink(aside)
            throw Problem("seal \"\(plain)\"", errno: error.code)
        }
        try File.syncFolder(of: path)
        // The next pass removes it where this one does not come to it.
        if isReadable { try? File.remove(plain) } else { try setAside(segment) }
        return count
    }

    /// Its volume may give its bytes back one day.
    private func setAside(_ segment: LogSegment) throws(Problem) {
        try File.makeFolders(run.torn)
        try File.move("\(run.logs)/\(segment.name)", to: "\(run.torn)/\(segment.name)")
        Console.say("\"\(segment.name)\" cannot be read; moved to \(run.torn)")
        state.withLock { $0.unreadable[segment.offset] = nil }
    }

    /// Returns where the bytes of a segment that gave `error` count as lost, and throws that where they do not yet.
    private func giveUp(_ segment: LogSegment, after error: Errno) throws(Errno) {
        // As a volume says of data whose only copy is gone; a server that is away may come back.
        guard [EIO, ENXIO].contains(error.code) else { throw error }
        let since = state.withLock { state in
            let since = state.unreadable[segment.offset] ?? .now
            state.unreadable[segment.offset] = since
            return since
        }
        if since.duration(to: .now) < patience { throw error }
    }

    /// Returns how many bytes there were. Zeros stand for those that are lost, so that each of the rest keeps its offset.
    private func compress(
        _ plain: String, of segment: LogSegment, length: Int, into aside: String
    ) throws(Errno) -> (count: Int, isReadable: Bool) {
        let input = try Errno.check { open(plain, O_RDONLY | O_CLOEXEC) }
        defer { close(input) }
        let output = try Errno.check { open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) }
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
            // The volume took more than it kept: over its quota, or its host died.
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

    /// Removes what tells only of bytes that are not kept any more.
    private func removeIndexes(before begin: Int) throws(Problem) {
        let indexes = try File.list(run.logs).filter { LogIndex.begin(of: $0) != nil }
        for (name, next) in zip(indexes, indexes.dropFirst()) where LogIndex.begin(of: next) ?? .max <= begin {
            try File.remove("\(run.logs)/\(name)")
        }
    }
}
