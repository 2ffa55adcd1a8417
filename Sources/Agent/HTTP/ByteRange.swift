internal import Shared

/// A `Range` header of one range in bytes, RFC 9110, section 14.1.2: closed, open-ended or a suffix.
enum ByteRange {
    /// The bytes that `header` asks for of `whole`, which has those from `begin` to `end`.
    ///
    /// nil if there is no such header, or one that a server ignores: several ranges, or another unit.
    static func parse(
        _ header: String?, begin: Int = 0, end: Int, of whole: String = "the log"
    ) throws(APIError) -> Range<Int>? {
        guard let header, header.hasPrefix("bytes="), !header.contains(",") else { return nil }
        let sides = header.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard sides.count == 2 else { return nil }
        switch (Int(sides[0]), Int(sides[1])) {
        case (let first?, let last?) where first >= 0 && last >= first && first < end:
            return first..<min(last, end - 1) + 1
        case (let first?, nil) where first >= 0 && first < end && sides[1].isEmpty:
            return first..<end
        case (nil, let count?) where sides[0].isEmpty && count > 0 && end > begin:
            return max(begin, end - count)..<end
        default:
            throw APIError(.rangeNotSatisfiable, "\(whole) has \(end) bytes, \"\(header)\" is not among them")
        }
    }
}
