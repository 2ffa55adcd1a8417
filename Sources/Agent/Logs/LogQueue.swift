internal import Glibc

/// Bytes of the log that wait for the volume, first in, first out. Unused memory is returned to the system.
final class LogQueue {
    /// The size of a piece of memory in bytes. The few pieces in use fit into the processor's cache.
    static let pieceSize = 256 << 10
    /// Bytes that may wait.
    static let capacity = 8 << 20
    /// Bytes above the capacity for the agent's own lines, which must not get lost.
    static let reserve = 64 << 10
    /// Three more pieces than full ones: the first and the last may be used in part, and one may be about to be freed.
    private static let pieceCount = (capacity + reserve) / pieceSize + 3

    private struct Piece {
        var number: Int
        /// The range of the waiting bytes in the piece.
        var range: Range<Int>
    }

    private let memory: UnsafeMutableRawPointer
    /// The pieces in use, in the order of their bytes. New bytes go into the last one.
    private var pieces: [Piece] = []
    /// The numbers of the free pieces. The last one freed is used next.
    private var free = Array((0..<pieceCount).reversed())
    /// The number of pieces that were written to since `trim` last returned memory.
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

    /// Appends bytes. Call this only if `hasRoom`.
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

    /// The first bytes, as many as lie in one piece; nil if none wait. They stay valid until they are removed.
    var first: UnsafeRawBufferPointer? {
        guard let piece = pieces.first, !piece.range.isEmpty else { return nil }
        return UnsafeRawBufferPointer(start: address(piece.number) + piece.range.lowerBound, count: piece.range.count)
    }

    /// Removes the first `count` bytes of `first`.
    func removeFirst(_ count: Int) {
        self.count -= count
        pieces[0].range = pieces[0].range.lowerBound + count..<pieces[0].range.upperBound
        if pieces[0].range.isEmpty { free.append(pieces.removeFirst().number) }
    }

    /// Returns the memory of free pieces to the system after a burst of output.
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
