internal import Shared
internal import Synchronization

/// The last bytes that the training printed. The agent reads the step from them, and the record of a death quotes them.
final class OutputTail: Sendable {
    /// Bytes that are kept.
    static let capacity = 64 << 10

    private struct State {
        /// The last bytes. They are trimmed at twice the capacity, because each trim copies them.
        var bytes: [UInt8] = []
        /// Bytes that the training has printed in all.
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

    /// The number of bytes that the training has printed in all, and the last ones of them.
    var now: (count: Int, bytes: ArraySlice<UInt8>) {
        state.withLock { ($0.count, $0.bytes.suffix(Self.capacity)) }
    }

    /// Returns the kept bytes that came after the first `count`, and how many the training has printed in all.
    func bytes(after count: Int) -> (count: Int, bytes: ArraySlice<UInt8>) {
        state.withLock { ($0.count, $0.bytes.suffix(min($0.count - count, Self.capacity))) }
    }

    /// Returns the last `count` lines. A line that was overwritten with `\r` is returned in its last state.
    func lines(_ count: Int) -> [String] {
        now.bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { line in (line.split(separator: UInt8(ascii: "\r")).last ?? []).text }
            .drop { $0.isEmpty }.reversed().drop { $0.isEmpty }.prefix(count).reversed()
    }
}
