internal import Shared

/// What `torch.save` and `numpy.savez` write: a zip archive. Its directory is at its end, so that one that was cut off has none.
///
/// The directory is read whole, and each member's header is looked up where the directory says it is. The content is not read.
enum ZipFormat {
    static let mark: [UInt8] = [0x50, 0x4b, 3, 4]  // of a local header, with which an archive begins

    private static let directoryMark: [UInt8] = [0x50, 0x4b, 1, 2]
    private static let endMark: [UInt8] = [0x50, 0x4b, 5, 6]
    private static let wideEndMark: [UInt8] = [0x50, 0x4b, 6, 6]
    private static let locatorMark: [UInt8] = [0x50, 0x4b, 6, 7]
    private static let endSize = 22
    private static let locatorSize = 20
    private static let wideEndSize = 56
    private static let longestComment = 0xffff

    /// What the end record says of the directory.
    private struct Directory {
        var entries: UInt64
        var size: UInt64
        var offset: UInt64
        /// Of the end record, or of the wide one before it.
        var end: Int
    }

    /// A member as the directory has it.
    private struct Member {
        var compressedSize: UInt64
        var offset: UInt64
        var nameLength: Int
    }

    static func check(_ file: InputFile) throws {
        guard try file.head(4) == mark else {
            if file.size == endSize, isEnd(try file.tail(endSize)) { return }  // an archive without members
            throw Damage("is no zip archive")
        }
        let directory = try directory(of: file)
        // Each a limit for the next: no sum below can overflow.
        guard directory.offset <= UInt64(directory.end), directory.size <= UInt64(directory.end) - directory.offset
        else {
            throw Damage("has its zip directory at byte \(directory.offset), and ends after \(file.size)")
        }
        let start = Int(directory.offset)
        var bytes = ByteReader(file, start..<start + Int(directory.size))
        var count: UInt64 = 0
        while bytes.position < bytes.end {
            try check(try member(&bytes), before: start, in: file)
            count += 1
        }
        if count != directory.entries {
            throw Damage("has \(count) members in its zip directory, and should have \(directory.entries)")
        }
    }

    /// Whether the last bytes of a file are the end record of an archive without a comment.
    static func isEnd(_ tail: [UInt8]) -> Bool {
        tail.count == endSize && Array(tail.prefix(4)) == endMark && tail.suffix(2).littleEndian == 0
    }

    private static func directory(of file: InputFile) throws -> Directory {
        let last = try file.tail(endSize + longestComment)
        // From the end: a comment may hold the mark too, and then does not end with the file.
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

    /// Of zip64, which `torch.save` always writes.
    private static func wideDirectory(of file: InputFile, before end: Int) throws -> Directory? {
        guard end >= locatorSize else { return nil }
        let locator = try file.bytes(at: end - locatorSize, count: locatorSize)[...]
        guard locator.prefix(4).elementsEqual(locatorMark) else { return nil }
        let offset = locator.number(at: 8, 8)
        guard end - locatorSize >= wideEndSize, offset <= UInt64(end - locatorSize - wideEndSize) else {
            throw Damage("has its zip64 record at byte \(offset), and ends after \(file.size)")
        }
        let record = try file.bytes(at: Int(offset), count: wideEndSize)[...]
        guard record.prefix(4).elementsEqual(wideEndMark) else {
            throw Damage("has no zip64 record at byte \(offset), where it should be")
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
        // Only what does not fit above is in it, in this order.
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

    /// The extra field with the zip64 numbers.
    private static func wideField(_ fields: [UInt8]) -> ArraySlice<UInt8>? {
        var rest = fields[...]
        while rest.count >= 4 {
            let size = Int(rest.number(at: 2, 2))
            if rest.number(at: 0, 2) == 1 { return rest.dropFirst(4).prefix(size) }
            rest = rest.dropFirst(4 + size)
        }
        return nil
    }

    /// The member's own header is where it should be, and its content ends before the directory begins.
    private static func check(_ member: Member, before directory: Int, in file: InputFile) throws {
        let size = 30
        guard directory >= size, member.offset <= UInt64(directory - size) else {
            throw Damage("has a zip member at byte \(member.offset), and its directory at \(directory)")
        }
        let start = Int(member.offset)
        let header = try file.bytes(at: start, count: size)[...]
        guard header.prefix(4).elementsEqual(mark), Int(header.number(at: 26, 2)) == member.nameLength else {
            throw Damage("has no zip member at byte \(start), where its directory says there is one")
        }
        let content = start + size + member.nameLength + Int(header.number(at: 28, 2))
        guard content <= directory, member.compressedSize <= UInt64(directory - content) else {
            throw Damage("has a zip member at byte \(start) that goes on beyond the directory at \(directory)")
        }
    }
}

extension ArraySlice<UInt8> {
    /// The number in `count` bytes, `place` bytes after the first. They have to be there.
    fileprivate func number(at place: Int, _ count: Int) -> UInt64 {
        self[startIndex + place..<startIndex + place + count].littleEndian
    }
}
