internal import Shared

/// Replaces the values of secrets in a stream of bytes by `***`, wherever the stream is cut into pieces.
///
/// Values that overlap in the stream become one `***`. What may be the beginning of a value is held back until the bytes after it
/// say what it is, so that a value never passes in parts either.
struct SecretMask: Sendable {
    private static let mask = Array("***".utf8)

    private let values: [[UInt8]]
    private let search: Search
    /// The stream's last bytes, which are not told yet.
    private var held: [UInt8] = []
    /// Of `held`, the first bytes that belong to a value whose `***` was told.
    private var covered = 0

    init(_ secrets: some Sequence<String>) {
        values = Set(secrets.flatMap(Self.forms)).filter { $0.count >= RunSpec.shortestSecret }
            .sorted { $0.lexicographicallyPrecedes($1) }
        search = Search(values)
    }

    /// A value as it may be printed: as it is, without the line end that an editor put behind it, and as a terminal shows it.
    private static func forms(of secret: String) -> [[UInt8]] {
        let bytes = Array(secret.utf8)
        let trimmed = Array(bytes.reversed().drop { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.reversed())
        let onTerminal = trimmed.flatMap { $0 == UInt8(ascii: "\n") ? [UInt8(ascii: "\r"), $0] : [$0] }
        return [trimmed, onTerminal]
    }

    /// The next bytes of the stream, masked. Less comes back than went in where something is held back.
    mutating func pass(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if values.isEmpty { return bytes }
        let piece = held.isEmpty ? bytes : held + bytes
        return tell(piece, before: beginOfValue(endingIn: piece))
    }

    /// The end of the stream: what was held back goes on as no value.
    mutating func finish() -> ArraySlice<UInt8> {
        tell(held[...], before: held.endIndex)
    }

    private mutating func tell(_ piece: ArraySlice<UInt8>, before hold: Int) -> ArraySlice<UInt8> {
        var masked: [UInt8] = []
        var told = piece.startIndex + covered
        search.forEachStart(in: piece) { start in
            guard start < hold, let end = end(ofValueAt: start, in: piece) else { return }
            if start >= told {
                masked += piece[told..<start]
                masked += Self.mask
            }
            told = max(told, end)
        }
        defer {
            held = Array(piece[hold...])
            covered = max(0, told - hold)
        }
        if told == piece.startIndex { return piece[..<hold] }
        if told < hold { masked += piece[told..<hold] }
        return masked[...]
    }

    /// A text that is whole.
    func masking(_ text: String) -> String {
        var stream = self
        stream.held = []
        stream.covered = 0
        var bytes = Array(stream.pass(Array(text.utf8)[...]))
        bytes += stream.finish()
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Where, at the end of `piece`, the first value begins that goes on after it.
    private func beginOfValue(endingIn piece: ArraySlice<UInt8>) -> Int {
        let longest = values.lazy.map(\.count).max() ?? 1
        let first = max(piece.startIndex, piece.endIndex - (longest - 1))
        return (first..<piece.endIndex).first { index in
            values.contains { value in
                value[0] == piece[index] && value.count > piece.endIndex - index && value.starts(with: piece[index...])
            }
        } ?? piece.endIndex
    }

    /// The end of the longest value at `start`.
    private func end(ofValueAt start: Int, in piece: ArraySlice<UInt8>) -> Int? {
        values.lazy.filter { piece[start...].starts(with: $0) }.map { start + $0.count }.max()
    }
}

extension SecretMask {
    /// Finds where a value may begin. As Wu and Manber do: by the last two bytes of a window, which moves on by as much
    /// as those allow; most bytes are never looked at.
    fileprivate struct Search: Sendable {
        /// Bytes of each value that count: the length of the shortest.
        private let window: Int
        /// By a hash of two bytes, how far the window can move; 0 where it may hold the beginning of a value.
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

        /// In order, and more than the true ones.
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
