/// Decides where a segment of the log ends: at the end of a line if one is near the limit, else at the limit.
struct SegmentCut {
    /// The size of a segment in bytes.
    var limit: Int

    /// The distance before the limit at which a segment may end, in bytes.
    var near: Int { min(64 << 10, limit / 8) }

    /// Returns how many of `bytes` go into a segment of `size` bytes. If 0, they begin the next segment.
    func length(of bytes: UnsafeRawBufferPointer, into size: Int, endsLine: Bool) -> Int {
        let room = max(0, limit - size)
        if bytes.count < room { return bytes.count }
        if room > 0, let newline = bytes[..<room].suffix(near).lastIndex(of: UInt8(ascii: "\n")) { return newline + 1 }
        return endsLine && size > 0 && room <= near ? 0 : room
    }
}
