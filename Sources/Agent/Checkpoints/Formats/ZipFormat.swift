internal import Shared

/// The zip archives of `torch.save` and `numpy.savez`. Their directory is at the end, so that a file that was cut off
/// has none.
///
/// Reads the whole directory, and checks that each member's header is at the offset that the directory gives. Does not
/// read the members' content.
enum ZipFormat {
    static let mark: [UInt8] = [0x50, 0x4b, 3, 4]  // a local header, with which an archive begins

    private static let directoryMark: [UInt8] = [0x50, 0x4b, 1, 2]
    private static let endMark: [UInt8] = [0x50, 0x4b, 5, 6]
    private static let wideEndMark: [UInt8] = [0x50, 0x4b, 6, 6]
    private static let locatorMark: [UInt8] = [0x50, 0x4b, 6, 7]
    private static let endSize = 22
    private static let locatorSize = 20
    private static let wideEndSize = 56
    private static let maxCommentBytes = 0xffff

    /// The place of the directory, from the archive's end record.
    private struct Directory {
        var entries: UInt64
        var size: UInt64
        var offset: UInt64
        /// The offset of the end record, or of the zip64 end record before it.
        var end: Int
    }

    /// A member as the directory lists it.
    private struct Member {
        var compressedSize: UInt64
        var offset: UInt64
        var nameLength: Int
    }

    static func check(_ file: InputFile) throws {
        guard try file.head(4) == mark else {
            if file.size == endSize, isEnd(try file.tail(endSize)) { return }  // an archive without members
            throw Damage("is not a zip archive")
        }
        let directory = try directory(of: file)
        // Each number limits the next one, so that no sum below can overflow.
        guard directory.offset <= UInt64(directory.end), directory.size <= UInt64(directory.end) - directory.offset
        else {
            throw Damage("has its zip directory at byte \(directory.offset), but only \(file.size) bytes")
        }
        let start = Int(directory.offset)
        var bytes = ByteReader(file, start..<start + Int(directory.size))
        var count: UInt64 = 0
        while bytes.position < bytes.end {
            try check(try member(&bytes), before: start, in: file)
            count += 1
        }
        if count != directory.entries {
            throw Damage("has \(count) members in its zip directory instead of \(directory.entries)")
        }
    }

    /// Whether the last bytes of a file are the end record of an archive without a comment.
    static func isEnd(_ tail: [UInt8]) -> Bool {
        tail.count == endSize && Array(tail.prefix(4)) == endMark && tail.suffix(2).littleEndian == 0
    }

    private static func directory(of file: InputFile) throws -> Directory {
        let last = try file.tail(endSize + maxCommentBytes)
        // Searches backwards. A comment may contain the mark by chance, but then its length does not reach the file's
        // end.
        let found = stride(from: last.count - endSize, through: 0, by: -1).first { index in
            last[index..<index + 4].elementsEqual(endMark)
                && Int(last[index + 20..<index + 22].littleEndian) == last.count - index - endSize
        }
        guard let found else { throw Damage("is cut off: a zip archive without its directory") }
        let end = file.size - last.count + found
        let record = last[found..<found + endSize]
        let narrow = Directory(
            entries: record.number(at: 10, 2), size: record.number(at: 12, 4), offset: record.number(at: 16, 4),
            end: end)
        return try wideDirectory(of: file, before: end) ?? narrow
    }

    /// Returns the directory from the zip64 end record, which `torch.save` always writes; nil if there is none.
    private static func wideDirectory(of file: InputFile, before end: Int) throws -> Directory? {
        guard end >= locatorSize else { return nil }
        let locator = try file.bytes(at: end - locatorSize, count: locatorSize)[...]
        guard locator.prefix(4).elementsEqual(locatorMark) else { return nil }
        let offset = locator.number(at: 8, 8)
        guard end - locatorSize >= wideEndSize, offset <= UInt64(end - locatorSize - wideEndSize) else {
            throw Damage("has its zip64 record at byte \(offset), but only \(file.size) bytes")
        }
        let record = try file.bytes(at: Int(offset), count: wideEndSize)[...]
        guard record.prefix(4).elementsEqual(wideEndMark) else {
            throw Damage("has no zip64 record at byte \(offset), where it belongs")
        }
        return Directory(
            entries: record.number(at: 32, 8), size: record.number(at: 40, 8), offset: record.number(at: 48, 8),
            end: Int(offset))
    }

    private static func member(_ bytes: inout ByteReader) throws -> Member {
        let place = bytes.position
        func cutOff() -> Damage { Damage("has a zip directory that cannot be read at byte \(place)") }
        guard let head = try bytes.take(46)?[...], head.prefix(4).elementsEqual(directoryMark) else { throw cutOff() }
        let (name, extra, comment) = (head.number(at: 28, 2), head.number(at: 30, 2), head.number(at: 32, 2))
        guard try bytes.skip(name), let fields = try bytes.take(Int(extra)), try bytes.skip(comment) else {
            throw cutOff()
        }
        var member = Member(
            compressedSize: head.number(at: 20, 4), offset: head.number(at: 42, 4), nameLength: Int(name))
        let isWide = (size: head.number(at: 24, 4) == 0xffff_ffff, compressed: member.compressedSize == 0xffff_ffff)
        guard var wide = wideField(fields) else { return member }
        // The field has only the numbers that did not fit above, in this order.
        if isWide.size { wide = wide.dropFirst(8) }
        if isWide.compressed {
            guard wide.count >= 8 else { throw cutOff() }
            member.compressedSize = wide.number(at: 0, 8)
            wide = wide.dropFirst(8)
        }
        if member.offset == 0xffff_ffff {
            guard wide.count >= 8 else { throw cutOff() }
            member.offset = wide.number(at: 0, 8)
        }
        return member
    }

    /// Returns the extra field with the zip64 numbers; nil if there is none.
    private static func wideField(_ fields: [UInt8]) -> ArraySlice<UInt8>? {
        var rest = fields[...]
        while rest.count >= 4 {
            let size = Int(rest.number(at: 2, 2))
            if rest.number(at: 0, 2) == 1 { return rest.dropFirst(4).prefix(size) }
            rest = rest.dropFirst(4 + size)
        }
        return nil
    }

    /// Checks that the member's header is at its offset, and that its content ends before the directory begins.
    private static func check(_ member: Member, before directory: Int, in file: InputFile) throws {
        let size = 30
        guard directory >= size, member.offset <= UInt64(directory - size) else {
            throw Damage("has a zip member at byte \(member.offset), but its directory at byte \(directory)")
        }
        let start = Int(member.offset)
        let header = try file.bytes(at: start, count: size)[...]
        guard header.prefix(4).elementsEqual(mark), Int(header.number(at: 26, 2)) == member.nameLength else {
            throw Damage("has no zip member at byte \(start), where its directory lists one")
        }
        let content = start + size + member.nameLength + Int(header.number(at: 28, 2))
        guard content <= directory, member.compressedSize <= UInt64(directory - content) else {
            throw Damage("has a zip member at byte \(start) that reaches beyond the directory at byte \(directory)")
        }
    }
}

extension ArraySlice<UInt8> {
    /// The little-endian number in the `count` bytes from `place` on. They must exist.
    fileprivate func number(at place: Int, _ count: Int) -> UInt64 {
        self[startIndex + place..<startIndex + place + count].littleEndian
    }
}
