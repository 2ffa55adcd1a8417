#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// An open log segment. A read is cheap if it begins where the last one ended. A removed file can still be read to its
/// end.
final class SegmentFile {
    let segment: LogSegment
    private let file: Int32
    private var inflater: Inflater?
    /// The next byte to read from the compressed file.
    private var compressedPosition = 0
    /// The offset in the segment of the next byte from the inflater.
    private var position = 0

    init(_ segment: LogSegment, at path: String) throws(Errno) {
        self.segment = segment
        file = try Errno.check { open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
    }

    deinit { close(file) }

    /// Fills `buffer` from byte `offset` of the segment on. Returns the number of bytes, 0 at its end.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        guard segment.isCompressed else { return try readFile(at: offset, into: buffer) }
        if inflater == nil || offset < position { try rewind() }
        try skip(to: offset)
        return position == offset ? try inflate(into: buffer) : 0
    }

    /// Returns the length of the plain segment in bytes. For a compressed one that takes time: it is decompressed.
    func length() throws(Errno) -> Int {
        guard segment.isCompressed else { return try File.status(of: file).size }
        try rewind()
        try skip(to: .max)
        return position
    }

    /// Decompresses up to `offset`, or to the end if that comes first.
    private func skip(to offset: Int) throws(Errno) {
        if position >= offset { return }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)
        defer { buffer.deallocate() }
        while position < offset {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(offset - position))
            if try inflate(into: part) == 0 { return }
        }
    }

    private func rewind() throws(Errno) {
        do { inflater = try Inflater() } catch { throw Errno(ENOMEM) }
        (position, compressedPosition) = (0, 0)
    }

    private func inflate(into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        guard let inflater else { return 0 }
        let count = try inflater.read(into: buffer) { (input) throws(Errno) in
            let count = try readFile(at: compressedPosition, into: input)
            compressedPosition += count
            return count
        }
        position += count
        return count
    }

    private func readFile(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try Errno.check { pread(file, buffer.baseAddress, buffer.count, off_t(offset)) }
    }
}
