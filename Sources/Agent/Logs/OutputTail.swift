internal import Shared
internal import Synchronization

/// The last bytes that the training printed: what progress is read from, and what a post-mortem shows.
final class OutputTail: Sendable {
    /// Bytes that are kept.
    static let capacity = 64 << 10

    private struct State {
        /// Up to twice the capacity, so that trimming costs little.
        var bytes: [UInt8] = []
        /// All that ever came.
        var count = 0
    }

    private let state = Mutex(State())

    func append(_ bytes: ArraySlice<UInt8>) {
        state.withLock { state in
            state.count += bytes.count
            if bytes.count >= Self.capacity { state.bytes.removeAll(keepingCapacity: true) }
            // A slice, so that the bytes are copied at once.
            let last: ArraySlice<UInt8> = bytes.suffix(Self.capacity)
            state.bytes.append(contentsOf: last)
            if state.bytes.count > 2 * Self.capacity { state.bytes.removeFirst(state.bytes.count - Self.capacity) }
        }
    }

    /// How many bytes ever came, and the last of them.
    var now: (count: Int, bytes: ArraySlice<UInt8>) {
        state.withLock { ($0.count, $0.bytes.suffix(Self.capacity)) }
    }

    /// The last `count` lines. Of a line that was written over with `\r` only what is left of it on a terminal.
    func lines(_ count: Int) -> [String] {
        now.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { line in (line.split(separator: UInt8(ascii: "\r")).last ?? []).text }
            .drop { $0.isEmpty }.reversed().drop { $0.isEmpty }.prefix(count).reversed()
    }
}
