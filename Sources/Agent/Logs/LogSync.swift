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
        /// nil once it is damaged: a network volume refuses a file that it could not store for as long as anybody has it open. Also nil
        /// where all of it is synced and another one is being written.
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
    private let store: @Sendable (LiveSegment) throws(Errno) -> Void

    /// `segment` is empty, and its folder was synced. `store` brings what was written to a segment to stable storage.
    init(
        _ segment: LiveSegment, progress: LogProgress,
        store: @escaping @Sendable (LiveSegment) throws(Errno) -> Void = LogSync.sync
    ) {
        state = Mutex(State(parts: [Part(segment, isListed: true)]))
        self.progress = progress
        self.store = store
    }

    private static func sync(_ segment: LiveSegment) throws(Errno) {
        try Errno.check { fdatasync(segment.descriptor) }
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

    /// Blocks until all that was written before is on stable storage, or cannot be brought there. Returns the segments that from now on
    /// have to be copied: those whose sync just failed.
    func sync() -> [LiveSegment] {
        progress.beginSync()
        var damaged: [LiveSegment] = []
        // Those after a damaged one are synced too: they would all stay open until it is copied.
        var isDurable = true
        for part in state.withLock(\.parts) {
            do throws(Errno) {
                if !part.isCopied && part.end > part.synced {
                    guard let segment = part.segment else {
                        isDurable = false
                        continue
                    }
                    if !part.isListed { try syncFolder(of: segment) }
                    try store(segment)
                    markSynced(part)
                }
                if isDurable { end(part) }
            } catch {
                isDurable = false
                if let segment = part.segment { damaged.append(segment) }
                update(part) { $0.segment = nil }
                state.withLock { $0.trouble = error }
            }
        }
        if isDurable { state.withLock { $0.trouble = nil } }
        return damaged
    }

    private func syncFolder(of segment: LiveSegment) throws(Errno) {
        let folder = try Errno.check { open(segment.path.parentFolder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        defer { close(folder) }
        try Errno.check { fsync(folder) }
    }

    private func markSynced(_ part: Part) {
        state.withLock { state in
            guard let index = state.parts.firstIndex(where: { $0.offset == part.offset }) else { return }
            (state.parts[index].isListed, state.parts[index].synced) = (true, part.end)
            if index < state.parts.indices.last ?? 0 && state.parts[index].end == part.end {
                state.parts[index].segment = nil
            }
        }
    }

    /// All up to its end is durable. It is forgotten unless it got more bytes meanwhile, or may get some.
    private func end(_ part: Part) {
        progress.endSync(at: part.end)
        state.withLock { state in
            guard state.parts.count > 1, state.parts[0].offset == part.offset, state.parts[0].end == part.end else {
                return
            }
            state.parts.removeFirst()
        }
    }

    private func update(_ part: Part, _ body: (inout Part) -> Void) {
        state.withLock { state in
            if let index = state.parts.firstIndex(where: { $0.offset == part.offset }) { body(&state.parts[index]) }
        }
    }
}
