internal import Glibc
internal import Shared

/// The end of a run's log, where bytes are added. Only the volume's thread uses it.
struct LiveLog {
    private let run: RunFolder
    private let attempt: Int
    private let limit: Int
    private var cut: SegmentCut
    private(set) var segment: LiveSegment
    /// Bytes in `segment`.
    private var size = 0
    private var endsLine: Bool
    private var index: LogIndexWriter
    /// What was written may be lost, or the descriptor is of no use any more: the next byte goes into another file.
    private var isSpoiled = false

    /// `beginsLine`: what comes before the first byte ends a line.
    init(_ claim: Claim, of run: RunFolder, limit: Int, beginsLine: Bool) throws(Errno) {
        self.run = run
        attempt = claim.number
        self.limit = limit
        cut = SegmentCut(limit: limit)
        segment = try LiveSegment(from: claim.logStart, attempt: claim.number, in: run)
        endsLine = beginsLine
        index = LogIndexWriter(path: run.logIndexPath(from: claim.logStart, attempt: claim.number))
    }

    /// Adds some of `bytes`, at least one, and returns how many. `began` is told of each new segment, before it has a byte.
    ///
    /// Each byte has its place in its file, so that one which is written again after an error is there once.
    mutating func write(_ bytes: UnsafeRawBufferPointer, began: (LiveSegment) -> Void) throws(Errno) -> Int {
        if isSpoiled { try renew(began) }
        var length = cut.length(of: bytes, into: size, endsLine: endsLine)
        if length == 0 {
            do throws(Errno) {
                try renew(began)
            } catch {
                // There may be room for bytes where there is none for a file.
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
            // A disk that was full takes the next byte once there is room. A network volume over its quota refuses the file
            // for as long as it is open, whatever room there is.
            isSpoiled = error.code != ENOSPC
            throw error
        }
        index.note(offset, beginsLine: endsLine)
        size += written
        if written > 0 { endsLine = bytes[written - 1] == UInt8(ascii: "\n") }
        return written
    }

    /// The bytes of `segment` may be lost: it gets no more of them.
    mutating func spoil(_ segment: LiveSegment, began: (LiveSegment) -> Void) {
        guard segment === self.segment else { return }
        isSpoiled = true
        // Where it does not work now the next write tries again.
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
