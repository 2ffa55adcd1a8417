internal import Shared

/// Replaces the values of secrets in a stream of bytes by `***`, however the stream is cut into pieces.
///
/// Values that overlap in the stream become one `***`. Bytes that may begin a value are held back until the next bytes
/// decide. So no value passes in parts.
struct SecretMask: Sendable {
    private static let mask = Array("***".utf8)

    private let values: [[UInt8]]
    private let search: Search
    /// The stream's last bytes, not returned yet.
    private var held: [UInt8] = []
    /// How many bytes at the start of `held` belong to a value whose `***` was returned.
    private var covered = 0

    init(_ secrets: some Sequence<String>) {
        values = Set(secrets.flatMap(Self.forms)).filter { $0.count >= RunSpec.shortestSecret }
            .sorted { $0.lexicographicallyPrecedes($1) }
        search = Search(values)
    }

    /// Returns the forms in which a value may be printed. Line breaks at its end are left out, because an editor may
    /// have added them. On a terminal `\r` precedes each line break.
    private static func forms(of secret: String) -> [[UInt8]] {
        let bytes = Array(secret.utf8)
        let trimmed = Array(bytes.reversed().drop { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.reversed())
        let onTerminal = trimmed.flatMap { $0 == UInt8(ascii: "\n") ? [UInt8(ascii: "\r"), $0] : [$0] }
        return [trimmed, onTerminal]
    }

    /// Masks the next bytes of the stream. Returns fewer bytes if some are held back.
    mutating func pass(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if values.isEmpty { return bytes }
        let piece = held.isEmpty ? bytes : held + bytes
        return release(piece, before: beginOfValue(endingIn: piece))
    }

    /// Ends the stream, and returns the bytes that were held back.
    mutating func finish() -> ArraySlice<UInt8> {
        release(held[...], before: held.endIndex)
    }

    /// Masks the bytes of `piece` before offset `hold` and returns them. Keeps the others in `held`.
    private mutating func release(_ piece: ArraySlice<UInt8>, before hold: Int) -> ArraySlice<UInt8> {
        var masked: [UInt8] = []
        var done = piece.startIndex + covered
        search.forEachStart(in: piece) { start in
            guard start < hold, let end = end(ofValueAt: start, in: piece) else { return }
            if start >= done {
                masked += piece[done..<start]
                masked += Self.mask
            }
            done = max(done, end)
        }
        defer {
            held = Array(piece[hold...])
            covered = max(0, done - hold)
        }
        if done == piece.startIndex { return piece[..<hold] }
        if done < hold { masked += piece[done..<hold] }
        return masked[...]
    }

    /// Masks a complete text.
    func masking(_ text: String) -> String {
        var stream = self
        stream.held = []
        stream.covered = 0
        var bytes = Array(stream.pass(Array(text.utf8)[...]))
        bytes += stream.finish()
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Returns the first offset at which a value begins and runs past the end of `piece`; the end if there is none.
    private func beginOfValue(endingIn piece: ArraySlice<UInt8>) -> Int {
        let longest = values.lazy.map(\.count).max() ?? 1
        let first = max(piece.startIndex, piece.endIndex - (longest - 1))
        return (first..<piece.endIndex).first { index in
            values.contains { value in
                value[0] == piece[index] && value.count > piece.endIndex - index && value.starts(with: piece[index...])
            }
        } ?? piece.endIndex
    }

    /// Returns the end of the longest value at `start`; nil if none begins there.
    private func end(ofValueAt start: Int, in piece: ArraySlice<UInt8>) -> Int? {
        values.lazy.filter { piece[start...].starts(with: $0) }.map { start + $0.count }.max()
    }
}

extension SecretMask {
    /// Finds where a value may begin, with the algorithm of Wu and Manber: it reads the last two bytes of a window and
    /// moves the window by as much as they allow. Most bytes are never read.
    fileprivate struct Search: Sendable {
        /// The length of the window: that of the shortest value, in bytes.
        private let window: Int
        /// How far the window can move, by a hash of its last two bytes; 0 if a value may begin at its start.
        private let shifts: [UInt8]

        init(_ values: [[UInt8]]) {
            window = min(values.map(\.count).min() ?? 2, 64)
            var shifts = [UInt8](repeating: UInt8(window - 1), count: 8192)
            for value in values {
                for last in 1..<window {
                    let slot = Self.slot(value[last - 1], value[last])
                    shifts[slot] = min(shifts[slot], UInt8(window - 1 - last))
                }
            }
            self.shifts = shifts
        }

        private static func slot(_ first: UInt8, _ second: UInt8) -> Int {
            (Int(first) << 6 ^ Int(second)) & 8191
        }

        /// Calls `body` with each offset at which a value may start, in ascending order. May report false positives,
        /// never misses one.
        func forEachStart(in piece: ArraySlice<UInt8>, _ body: (Int) -> Void) {
            let base = piece.startIndex
            piece.withUnsafeBufferPointer { bytes in
                shifts.withUnsafeBufferPointer { shifts in
                    var last = window - 1
                    while last < bytes.count {
                        let shift = Int(shifts[Self.slot(bytes[last - 1], bytes[last])])
                        if shift == 0 { body(base + last - (window - 1)) }
                        last += max(1, shift)
                    }
                }
            }
        }
    }
}
