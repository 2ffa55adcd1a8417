internal import Glibc
internal import Shared
internal import Synchronization

/// Brings the log to stable storage, segment by segment, and reports how far that is.
///
/// After a failed sync the kernel forgets which bytes it could not write, so that a second sync of the file proves
/// nothing about them, fsync(2). Such bytes count as durable only when the sealed copy of their segment is on stable
/// storage.
final class LogSync: Sendable {
    private struct Part {
        let offset: Int
        /// Nil once a sync failed, because a network volume refuses the file until it is closed. Also nil once all of
        /// it is synced and a later segment is being written.
        var segment: LiveSegment?
        /// The offset after the last byte written.
        var end: Int
        /// The offset after the last byte that a sync brought to stable storage.
        var synced: Int
        /// The segment's entry in its folder is on stable storage.
        var isListed = false
        /// The segment's sealed copy is on stable storage.
        var isCopied = false

        init(_ segment: LiveSegment, isListed: Bool = false) {
            offset = segment.offset
            self.segment = segment
            (end, synced) = (segment.offset, segment.offset)
            self.isListed = isListed
        }
    }

    private struct State {
        /// The segments that are not durable yet, in the log's order. The last one is being written.
        var parts: [Part]
        var trouble: Errno?
        /// Bytes that the volume took and lost, and that `takeLost` has not returned yet.
        var lost: [Range<Int>] = []
    }

    private let state: Mutex<State>
    private let progress: LogProgress
    private let store: @Sendable (LiveSegment) throws(Errno) -> Void

    /// `segment` must be empty and its folder synced. `store` brings the bytes written to a segment to stable storage.
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

    /// Why a sync failed; nil once all bytes that it concerned are durable.
    var trouble: Errno? { state.withLock(\.trouble) }

    /// Notes that the log continues in a new segment.
    func begin(_ segment: LiveSegment) {
        state.withLock { state in
            if let last = state.parts.last, last.end == last.offset { state.parts.removeLast() }
            state.parts.append(Part(segment))
        }
    }

    /// Notes that the last segment got more bytes.
    func extend(by count: Int) {
        state.withLock { $0.parts[$0.parts.count - 1].end += count }
    }

    /// Notes that the segment's sealed copy is on stable storage. It lacks the `lost` bytes.
    func copied(_ offset: Int, lost: Range<Int>) {
        state.withLock { state in
            if !lost.isEmpty { state.lost.append(lost) }
            for index in state.parts.indices where state.parts[index].offset == offset {
                state.parts[index].isCopied = true
            }
        }
    }

    /// Returns the bytes that the volume took and lost. Each is returned once.
    func takeLost() -> [Range<Int>] {
        state.withLock { state in
            defer { state.lost = [] }
            return state.lost
        }
    }

    /// Syncs all bytes written so far. Blocks. Returns the segments whose sync has just failed: they need a copy.
    func sync() -> [LiveSegment] {
        progress.beginSync()
        var damaged: [LiveSegment] = []
        // Segments after a failed one are synced too. Otherwise all of them would stay open until its copy exists.
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

    /// Notes that the log is durable up to the end of `part`. Forgets the part unless it has got more bytes, or may get
    /// some.
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
