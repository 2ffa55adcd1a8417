internal import Shared

/// Replaces the values of secrets in a stream of bytes by `***`, however the stream is cut into pieces.
///
/// Values that overlap in the stream become one `***`. Bytes that may begin a value are held back until the next bytes
/// decide. So no value passes in parts.
struct SecretMask: Sendable {
    private static let mask = Array("***".utf8)

    private let values: [[UInt8]]
    private let search: Search
    private let longest: Int
    /// The stream's last bytes, not returned yet.
    private var held: [UInt8] = []
    /// The number of bytes at the start of `held` that belong to a value whose `***` was returned.
    private var covered = 0

    /// Masks each of `secrets` in all its forms.
    init(_ secrets: some Sequence<String>) {
        self.init(forms: secrets.reduce(into: []) { $0.formUnion(SecretForms.all(of: ByteText.bytes(of: $1))) })
    }

    /// Masks each of `forms`. None is shorter than two bytes.
    init(forms: Set<[UInt8]>) {
        values = forms.sorted { $0.lexicographicallyPrecedes($1) }
        search = Search(values)
        longest = values.lazy.map(\.count).max() ?? 1
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
        let first = max(piece.startIndex, piece.endIndex - (longest - 1))
        return (first..<piece.endIndex).first { index in
            let rest = piece[index...]
            return search.values(startingLike: rest).contains { number in
                values[number].count > rest.count && values[number].starts(with: rest)
            }
        } ?? piece.endIndex
    }

    /// Returns the end of the longest value at `start`; nil if none begins there.
    private func end(ofValueAt start: Int, in piece: ArraySlice<UInt8>) -> Int? {
        let rest = piece[start...]
        return search.values(startingLike: rest).lazy.filter { rest.starts(with: values[$0]) }
            .map { start + values[$0].count }.max()
    }
}

extension SecretMask {
    /// Finds where a value may begin, with the algorithm of Wu and Manber: it reads the last two bytes of a window and
    /// moves the window by as much as they allow. Most bytes are never read.
    fileprivate struct Search: Sendable {
        /// The length of the window: that of the shortest value, in bytes.
        private let window: Int
        /// The distance by which the window can move, by a hash of its last two bytes; 0 if a value may begin at its
        /// start.
        private let shifts: [UInt8]
        /// The numbers of the values, in the order of their first two bytes' hashes.
        private let numbers: [Int]
        /// For each hash, the place in `numbers` at which its values begin, and one more for the end.
        private let places: [Int32]

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
            numbers = values.indices.sorted { Self.slot(values[$0]) < Self.slot(values[$1]) }
            var places = [Int32](repeating: 0, count: 8193)
            for value in values { places[Self.slot(value) + 1] += 1 }
            for slot in 1..<places.count { places[slot] += places[slot - 1] }
            self.places = places
        }

        private static func slot(_ value: [UInt8]) -> Int { slot(value[0], value[1]) }

        /// Returns the numbers of all values that may begin with `bytes`, or `bytes` with one of them.
        func values(startingLike bytes: ArraySlice<UInt8>) -> ArraySlice<Int> {
            guard bytes.count > 1 else { return numbers[...] }
            let slot = Self.slot(bytes[bytes.startIndex], bytes[bytes.startIndex + 1])
            return numbers[Int(places[slot])..<Int(places[slot + 1])]
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
