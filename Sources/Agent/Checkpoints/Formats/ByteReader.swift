internal import Shared

/// Reads a range of a file byte by byte through one small buffer.
struct ByteReader: ~Copyable {
    /// The offset of the next byte in the file.
    var position: Int { bufferOffset + index }
    /// The offset in the file at which the range ends.
    let end: Int

    private let file: InputFile
    private let buffer: UnsafeMutableRawBufferPointer
    /// The offset of the buffer's first byte in the file.
    private var bufferOffset: Int
    private var index = 0
    private var filled = 0

    private static let bufferSize = 64 << 10  // bytes

    /// `range` must lie within the file's size.
    init(_ file: InputFile, _ range: Range<Int>) {
        self.file = file
        bufferOffset = range.lowerBound
        end = range.upperBound
        buffer = .allocate(byteCount: max(1, min(Self.bufferSize, range.count)), alignment: 16)
    }

    init(_ file: InputFile) { self.init(file, 0..<file.size) }

    deinit { buffer.deallocate() }

    /// Returns the next byte without moving past it; nil at the end.
    @inline(__always)
    mutating func peek() throws -> UInt8? {
        if index == filled, try !refill() { return nil }
        return buffer[index]
    }

    /// Returns the next byte and moves past it; nil at the end.
    @inline(__always)
    mutating func next() throws -> UInt8? {
        let byte = try peek()
        if byte != nil { index += 1 }
        return byte
    }

    /// Returns exactly `count` bytes; nil if fewer are left. The caller bounds `count`.
    mutating func take(_ count: Int) throws -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            if index == filled, try !refill() { return nil }
            let piece = min(count - bytes.count, filled - index)
            bytes.append(contentsOf: buffer[index..<index + piece])
            index += piece
        }
        return bytes
    }

    /// Moves past `count` bytes. Returns false if fewer are left.
    mutating func skip(_ count: UInt64) throws -> Bool {
        guard count <= UInt64(end - position) else { return false }
        let target = position + Int(count)
        if target <= bufferOffset + filled {
            index = target - bufferOffset
        } else {
            (bufferOffset, index, filled) = (target, 0, 0)
        }
        return true
    }

    /// Moves to the next byte that `isWanted`, and appends the bytes before it to `text`. Returns false if there is
    /// none.
    @inline(__always)
    mutating func scan(until isWanted: (UInt8) -> Bool, keeping text: inout BoundedText) throws -> Bool {
        while true {
            if index == filled, try !refill() { return false }
            let start = index
            while index < filled, !isWanted(buffer[index]) { index += 1 }
            text.append(UnsafeRawBufferPointer(rebasing: buffer[start..<index]))
            if index < filled { return true }
        }
    }

    private mutating func refill() throws -> Bool {
        bufferOffset += filled
        (index, filled) = (0, 0)
        let wanted = min(buffer.count, end - bufferOffset)
        if wanted == 0 { return false }
        filled = try file.read(at: bufferOffset, into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        if filled == 0 { throw Damage("ends at byte \(bufferOffset) while it is read") }
        return true
    }
}

/// The first bytes of a text of any length.
struct BoundedText {
    private(set) var bytes: [UInt8] = []
    /// Whether the text was longer than the limit.
    private(set) var isCut = false
    private let limit: Int

    /// `limit` is in bytes.
    init(limit: Int) { self.limit = limit }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        isCut = false
    }

    mutating func append(_ piece: UnsafeRawBufferPointer) {
        let room = limit - bytes.count
        if piece.count > room { isCut = true }
        bytes.append(contentsOf: piece.prefix(room))
    }

    mutating func append(_ byte: UInt8) { withUnsafeBytes(of: byte) { append($0) } }
}
