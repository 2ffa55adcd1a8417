internal import Glibc
internal import Shared
internal import Synchronization

/// Brings the log to stable storage, segment by segment, and knows how far it is.
///
/// After a failed sync the kernel forgets which bytes it could not write, and a second sync of the same file says nothing about
/// them, fsync(2). So what was not synced by then counts as durable only once a copy of the segment is, which the sealing makes.
final class LogSync: Sendable {
    private struct Part {
        let offset: Int
        /// nil once it is damaged: a network volume refuses a file that it could not store for as long as anybody has it open.
        var segment: LiveSegment?
        /// Offset after the last byte that was written.
        var end: Int
        /// Offset after the last byte that a sync brought to stable storage.
        var synced: Int
        /// The folder's entry is on stable storage.
        var isListed = false
        /// The sealed copy is on stable storage.
        var isCopied = false

        init(_ segment: LiveSegment, isListed: Bool = false) {
            offset = segment.offset
            self.segment = segment
            (end, synced) = (segment.offset, segment.offset)
            self.isListed = isListed
        }
    }

    private struct State {
        /// Not durable yet, in the log's order. The last one is being written.
        var parts: [Part]
        var trouble: Errno?
        /// Bytes that the volume took and did not keep, which nobody was told of yet.
        var lost: [Range<Int>] = []
    }

    private let state: Mutex<State>
    private let progress: LogProgress

    /// `segment` is empty, and its folder was synced.
    init(_ segment: LiveSegment, progress: LogProgress) {
        state = Mutex(State(parts: [Part(segment, isListed: true)]))
        self.progress = progress
    }

    /// Why the last sync failed; nil once all that it concerns is durable.
    var trouble: Errno? { state.withLock(\.trouble) }

    /// The log goes on in another segment.
    func begin(_ segment: LiveSegment) {
        state.withLock { state in
            if let last = state.parts.last, last.end == last.offset { state.parts.removeLast() }
            state.parts.append(Part(segment))
        }
    }

    /// The last segment got more bytes.
    func extend(by count: Int) {
        state.withLock { $0.parts[$0.parts.count - 1].end += count }
    }

    /// The segment's sealed copy is on stable storage, without the bytes that are `lost`.
    func copied(_ offset: Int, lost: Range<Int>) {
        state.withLock { state in
            if !lost.isEmpty { state.lost.append(lost) }
            for index in state.parts.indices where state.parts[index].offset == offset {
                state.parts[index].isCopied = true
            }
        }
    }

    /// Bytes that the volume took and did not keep. Each is told once.
    func takeLost() -> [Range<Int>] {
        state.withLock { state in
            defer { state.lost = [] }
            return state.lost
        }
    }

    /// Blocks until all that was written before is durable. Returns the segment that from now on has to be copied, where it just failed.
    func sync() -> LiveSegment? {
        progress.beginSync()
        for part in state.withLock(\.parts) {
            do throws(Errno) {
                if !part.isCopied && part.end > part.synced {
                    guard let segment = part.segment else { return nil }
                    if !part.isListed { try syncFolder(of: segment) }
                    try Errno.check { fdatasync(segment.descriptor) }
                }
                end(part)
            } catch {
                update(part) { $0.segment = nil }
                state.withLock { $0.trouble = error }
                return part.segment
            }
        }
        state.withLock { $0.trouble = nil }
        return nil
    }

    private func syncFolder(of segment: LiveSegment) throws(Errno) {
        let folder = try Errno.check { open(segment.path.parentFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(folder) }
        try Errno.check { fsync(folder) }
    }

    private func end(_ part: Part) {
        progress.endSync(at: part.end)
        state.withLock { state in
            if state.parts.count > 1 && state.parts[0].offset == part.offset { state.parts.removeFirst() }
        }
        update(part) { ($0.isListed, $0.synced) = (true, part.end) }
    }

    private func update(_ part: Part, _ body: (inout Part) -> Void) {
        state.withLock { state in
            if let index = state.parts.firstIndex(where: { $0.offset == part.offset }) { body(&state.parts[index]) }
        }
    }
}
