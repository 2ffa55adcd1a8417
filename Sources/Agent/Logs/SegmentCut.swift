/// Where a segment of the log ends: at the end of a line where one is near, else at its limit.
struct SegmentCut {
    /// Bytes that a segment has, more or less.
    var limit: Int

    /// How far before the limit the end of a line is near enough, in bytes.
    var near: Int { min(64 << 10, limit / 8) }

    /// How many of `bytes` go into a segment of `size` bytes; 0: the next segment begins with them.
    func length(of bytes: UnsafeRawBufferPointer, into size: Int, endsLine: Bool) -> Int {
        let room = max(0, limit - size)
        if bytes.count < room { return bytes.count }
        if room > 0, let newline = bytes[..<room].suffix(near).lastIndex(of: UInt8(ascii: "\n")) { return newline + 1 }
        return endsLine && size > 0 && room <= near ? 0 : room
    }
}
