internal import Glibc
internal import Shared

/// The end of a run's log, where bytes are appended. Only the volume's thread uses it.
struct LiveLog {
    private let run: RunFolder
    private let attempt: Int
    private let limit: Int
    private var cut: SegmentCut
    private(set) var segment: LiveSegment
    /// The size of `segment` in bytes.
    private var size = 0
    private var endsLine: Bool
    private var index: LogIndexWriter
    /// The file of `segment` may have lost bytes or refuses more: the next byte goes into a new segment.
    private var isSpoiled = false

    /// `beginsLine`: the log before this segment ends with a line break.
    init(_ claim: Claim, of run: RunFolder, limit: Int, beginsLine: Bool) throws(Errno) {
        self.run = run
        attempt = claim.number
        self.limit = limit
        cut = SegmentCut(limit: limit)
        segment = try LiveSegment(from: claim.logStart, attempt: claim.number, in: run)
        endsLine = beginsLine
        index = LogIndexWriter(path: run.logIndexPath(from: claim.logStart, attempt: claim.number))
    }

    /// Appends some of `bytes`, at least one, and returns how many. Calls `began` with each new segment while it is
    /// empty.
    ///
    /// Writes at a fixed offset of the file. A retry after an error therefore repeats no byte.
    mutating func write(_ bytes: UnsafeRawBufferPointer, began: (LiveSegment) -> Void) throws(Errno) -> Int {
        if isSpoiled { try renew(began) }
        var length = cut.length(of: bytes, into: size, endsLine: endsLine)
        if length == 0 {
            do throws(Errno) {
                try renew(began)
            } catch {
                // The volume has no room for a new file, but perhaps for more bytes in this one.
                cut.limit = size + max(1, limit / 8)
            }
            length = cut.length(of: bytes, into: size, endsLine: endsLine)
            if length == 0 { length = min(bytes.count, max(1, cut.limit - size)) }
        }
        let offset = segment.offset + size
        let written: Int
        do throws(Errno) {
            written = try Errno.check { pwrite(segment.descriptor, bytes.baseAddress, length, off_t(size)) }
        } catch {
            // A full disk accepts the next byte once it has room. A network volume over its quota refuses an open file
            // for good, whatever room there is.
            isSpoiled = error.code != ENOSPC
            throw error
        }
        index.note(offset, beginsLine: endsLine)
        size += written
        if written > 0 { endsLine = bytes[written - 1] == UInt8(ascii: "\n") }
        return written
    }

    /// Ends `segment`, because the volume may have lost bytes of it.
    mutating func spoil(_ segment: LiveSegment, began: (LiveSegment) -> Void) {
        guard segment === self.segment else { return }
        isSpoiled = true
        // If this fails, the next write tries again.
        try? renew(began)
    }

    private mutating func renew(_ began: (LiveSegment) -> Void) throws(Errno) {
        segment = try LiveSegment(from: segment.offset + size, attempt: attempt, in: run)
        size = 0
        cut.limit = limit
        isSpoiled = false
        began(segment)
    }
}
