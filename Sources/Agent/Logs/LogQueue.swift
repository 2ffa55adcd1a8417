internal import Glibc

/// Bytes that wait for the volume: first in, first out, in memory that is got once and given back when it is not in use.
final class LogQueue {
    /// Bytes of a piece of memory. The few that are in use stay in the processor's cache.
    static let pieceSize = 256 << 10
    /// Bytes that may wait.
    static let capacity = 8 << 20
    /// Bytes beyond the capacity for what has to be said in any case.
    static let reserve = 64 << 10
    /// Beyond what is waiting: the first piece and the last one may be used in part, and one may be about to be freed.
    private static let pieceCount = (capacity + reserve) / pieceSize + 3

    private struct Piece {
        var number: Int
        /// Of the bytes that wait in it.
        var range: Range<Int>
    }

    private let memory: UnsafeMutableRawPointer
    /// In the order in which the bytes came. Only the last one is filled further.
    private var pieces: [Piece] = []
    /// The one that was used last is used next.
    private var free = Array((0..<pieceCount).reversed())
    /// Pieces that were written to since the memory was given back.
    private var used = 0
    /// Bytes that wait.
    private(set) var count = 0

    init() {
        let size = Self.pieceCount * Self.pieceSize
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let memory = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
            preconditionFailure("no \(size) bytes of memory for the log")
        }
        // A huge page would take 2 MB for one line.
        madvise(memory, size, MADV_NOHUGEPAGE)
        self.memory = memory
        pieces.reserveCapacity(Self.pieceCount)
    }

    deinit { munmap(memory, Self.pieceCount * Self.pieceSize) }

    func hasRoom(for count: Int, ofReserve: Bool = false) -> Bool {
        self.count + count <= Self.capacity + (ofReserve ? Self.reserve : 0)
    }

    /// To be called where there is room.
    func append(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            if pieces.last?.range.upperBound ?? Self.pieceSize == Self.pieceSize { pieces.append(takeFree()) }
            let last = pieces.endIndex - 1
            let end = pieces[last].range.upperBound
            let part = rest.prefix(Self.pieceSize - end)
            UnsafeMutableRawBufferPointer(start: address(pieces[last].number) + end, count: part.count)
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: part))
            pieces[last].range = pieces[last].range.lowerBound..<end + part.count
            rest = rest.dropFirst(part.count)
        }
        count += bytes.count
    }

    /// The first bytes, as many as lie in one piece. They stay where they are until they are removed, whatever is appended meanwhile.
    var first: UnsafeRawBufferPointer? {
        guard let piece = pieces.first, !piece.range.isEmpty else { return nil }
        return UnsafeRawBufferPointer(start: address(piece.number) + piece.range.lowerBound, count: piece.range.count)
    }

    /// Removes bytes of `first`.
    func removeFirst(_ count: Int) {
        self.count -= count
        pieces[0].range = pieces[0].range.lowerBound + count..<pieces[0].range.upperBound
        if pieces[0].range.isEmpty { free.append(pieces.removeFirst().number) }
    }

    /// Gives back the memory of a burst that is over.
    func trim() {
        guard used > 2 else { return }
        for number in free { madvise(address(number), Self.pieceSize, MADV_DONTNEED) }
        used = pieces.count
    }

    private func takeFree() -> Piece {
        let number = free.removeLast()
        used = max(used, Self.pieceCount - free.count)
        return Piece(number: number, range: 0..<0)
    }

    private func address(_ piece: Int) -> UnsafeMutableRawPointer { memory + piece * Self.pieceSize }
}
