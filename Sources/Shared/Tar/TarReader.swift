/// Reads a tar archive: ustar, pax and what GNU tar writes, with files, folders and symbolic links.
///
/// Throws a `Problem` for any other type of member, for a name that leads out of the archive's folder, for a member
/// below a link of the archive, for a damaged block, and for an archive without its end mark.
public struct TarReader: ~Copyable {
    /// The offset in the archive of the next byte to read. After `next` it is the first byte of the content.
    public private(set) var position = 0

    private let source: (UnsafeMutableRawBufferPointer) throws -> Int
    /// Bytes that were read ahead. Otherwise each small file would cost two calls.
    private var buffer = [UInt8](repeating: 0, count: 64 << 10)
    private var buffered = 0..<0
    /// The unread bytes of the current member's content.
    private var unread = 0
    private var padding = 0
    private var links: Set<[UInt8]> = []
    private var isAtEnd = false
    private var members = 0

    private static let slash = UInt8(ascii: "/")
    /// The longest pax record or GNU long name, in bytes. It is far above PATH_MAX and bounds the memory.
    private static let maxExtension = 1 << 20
    /// The most members, and the most bytes of a path. They bound the cost of unpacking.
    private static let (maxMembers, maxPathBytes) = (1_000_000, 4096)
    /// Larger than any file, in bytes, and small enough that sums do not overflow.
    private static let maxFileSize = 1 << 60

    /// `source` fills a buffer from its beginning and returns the number of bytes, 0 at the end.
    public init(source: @escaping (UnsafeMutableRawBufferPointer) throws -> Int) { self.source = source }

    /// Reads an open descriptor from its present position.
    public init(file: Int32) {
        self.init { try File.read(file, into: $0) }
    }

    /// Returns the next member; nil at the end of the archive. Skips unread content of the last one.
    public mutating func next() throws -> TarEntry? {
        try skip(unread + padding)
        (unread, padding) = (0, 0)
        var pending = Extension()
        while !isAtEnd {
            let block = try take(TarBlock.size)
            if block.allSatisfy({ $0 == 0 }) {
                isAtEnd = true
                if pending != Extension() { throw damaged("a header that belongs to no file") }
                break
            }
            let header = try RawHeader(block) ?? { throw damaged("a header's checksum is wrong") }()
            switch header.type {
            case TarType.extended: try pending.add(pax: try take(extension: header))
            case TarType.global: _ = try take(extension: header)
            case TarType.longName: pending.path = Array(try take(extension: header).prefix { $0 != 0 })
            case TarType.longLink: pending.link = Array(try take(extension: header).prefix { $0 != 0 })
            default:
                let entry = try entry(header, pending)
                pending = Extension()
                if let entry { return entry }
            }
        }
        return nil
    }

    /// Reads the next bytes of the current file's content. Returns their number, 0 at its end.
    public mutating func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = min(unread, target.count)
        if wanted == 0 { return 0 }
        let count = try fill(UnsafeMutableRawBufferPointer(rebasing: target[..<wanted]))
        if count == 0 { throw damaged("it ends in the middle of a file") }
        unread -= count
        return count
    }

    /// Returns the rest of the current file's content. Only for small files.
    public mutating func readAll() throws -> [UInt8] {
        let bytes = try take(unread)
        unread = 0
        return bytes
    }

    /// Returns the member of a header; nil if it is the archive's own folder, `./`.
    private mutating func entry(_ header: RawHeader, _ pending: Extension) throws -> TarEntry? {
        let name = pending.path ?? header.path
        var isFolder = header.type == TarType.folder
        switch header.type {
        case TarType.file, TarType.oldFile, TarType.contiguousFile:
            // Formats older than ustar write a folder as a file with a slash at its end.
            isFolder = header.type == TarType.oldFile && name.last == Self.slash
        case TarType.folder, TarType.link: break
        case TarType.hardLink: throw unsupported(name, "a hard link")
        default: throw unsupported(name, "neither a file, a folder nor a symbolic link")
        }
        if pending.isSparse { throw unsupported(name, "a sparse file") }

        members += 1
        if members > Self.maxMembers { throw Problem("the archive has more than \(Self.maxMembers) members") }
        let path = try safe(name)
        if path.isEmpty && isFolder { return nil }
        if path.isEmpty { throw Problem("the archive holds a file without a name") }
        for cut in links.isEmpty ? 0..<0 : path.indices
        where path[cut] == Self.slash && links.contains(Array(path[..<cut])) {
            throw unsupported(name, "below a symbolic link of the same archive")
        }
        if header.type == TarType.link {
            links.insert(path)
            let target = pending.link ?? header.link
            if target.isEmpty || target.contains(0) { throw unsupported(name, "a link to nothing") }
            return TarEntry(path.text, .link(target: try text(target)))
        }
        // A later file replaces the link. A folder does not: its members would be written through the link.
        if isFolder {
            if links.contains(path) { throw unsupported(name, "below a symbolic link of the same archive") }
            return TarEntry(path.text, .folder)
        }
        links.remove(path)
        guard let size = pending.size ?? header.size, size <= Self.maxFileSize else {
            throw damaged("a file's size cannot be read")
        }
        unread = size
        padding = TarBlock.padding(after: size)
        return TarEntry(path.text, .file(size: size, isExecutable: header.mode & 0o100 != 0))
    }

    /// Returns the path without `.`, doubled slashes and a slash at the end.
    private func safe(_ name: [UInt8]) throws -> [UInt8] {
        if name.count > Self.maxPathBytes {
            throw unsupported(name.prefix(80) + Array("…".utf8), "a path that is too long")
        }
        _ = try text(name)
        if name.first == Self.slash { throw unsupported(name, "absolute") }
        let parts = name.split(separator: Self.slash).filter { Array($0) != Array(".".utf8) }
        if parts.contains(where: { Array($0) == Array("..".utf8) }) { throw unsupported(name, "outside of it") }
        if name.contains(0) { throw unsupported(name, "a name with a zero byte") }
        return Array(parts.joined(separator: [Self.slash]))
    }

    private func text(_ bytes: [UInt8]) throws -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw unsupported(bytes, "a name that is not UTF-8")
        }
        return text
    }

    private mutating func take(extension header: RawHeader) throws -> [UInt8] {
        guard let size = header.size, size <= Self.maxExtension else {
            throw damaged("an extended header is too long")
        }
        let bytes = try take(size)
        try skip(TarBlock.padding(after: size))
        return bytes
    }

    private mutating func take(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            if buffered.isEmpty { try refill() }
            let piece = buffered.prefix(count - bytes.count)
            bytes += buffer[piece]
            advance(piece.count)
        }
        return bytes
    }

    private mutating func skip(_ count: Int) throws {
        var rest = count
        while rest > 0 {
            if buffered.isEmpty { try refill() }
            let piece = min(rest, buffered.count)
            advance(piece)
            rest -= piece
        }
    }

    /// Reads the next bytes. Large reads bypass the buffer.
    private mutating func fill(_ target: UnsafeMutableRawBufferPointer) throws -> Int {
        if buffered.isEmpty && target.count >= buffer.count {
            let count = try source(target)
            position += count
            return count
        }
        if buffered.isEmpty { try refill() }
        let piece = buffered.prefix(target.count)
        buffer.withUnsafeBytes { target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[piece])) }
        advance(piece.count)
        return piece.count
    }

    private mutating func refill() throws {
        let count = try buffer.withUnsafeMutableBytes { try source($0) }
        if count == 0 { throw damaged("it is cut off") }
        buffered = 0..<count
    }

    private mutating func advance(_ count: Int) {
        buffered = buffered.lowerBound + count..<buffered.upperBound
        position += count
    }

    private func damaged(_ how: String) -> Problem {
        Problem("the archive is damaged near byte \(position): \(how)")
    }

    private func unsupported(_ name: [UInt8], _ what: String) -> Problem {
        Problem("the archive holds \"\(name.text)\", which is \(what)")
    }
}

/// The fields of the next member that extended headers set.
private struct Extension: Equatable {
    var path: [UInt8]?
    var link: [UInt8]?
    var size: Int?
    var isSparse = false

    /// Reads records of the form `LENGTH KEY=VALUE\n`.
    mutating func add(pax bytes: [UInt8]) throws {
        let problem = Problem("the archive is damaged: an extended header cannot be read")
        var rest = bytes[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0 != UInt8(ascii: " ") }
            guard let length = Int(digits.text), length > digits.count + 1, length <= rest.count else { throw problem }
            let record = rest.prefix(length).dropFirst(digits.count + 1)
            rest = rest.dropFirst(length)
            guard let equals = record.firstIndex(of: UInt8(ascii: "=")), record.last == UInt8(ascii: "\n") else {
                throw problem
            }
            let value = Array(record[(equals + 1)...].dropLast())
            switch record[..<equals].text {
            case "path": path = value
            case "linkpath": link = value
            case "size":
                guard let number = Int(value.text), number >= 0 else { throw problem }
                size = number
            case let key where key.hasPrefix("GNU.sparse."): isSparse = true
            default: break
            }
        }
    }
}

private struct RawHeader {
    private let block: [UInt8]

    /// nil if the checksum does not match. Old programs added up signed bytes.
    init?(_ block: [UInt8]) {
        self.block = block
        let stored = number(at: TarBlock.checksum)
        let signed =
            TarBlock.sum(of: block) - 256
            * block.indices.count { index in
                !TarBlock.checksum.contains(index) && block[index] > 127
            }
        if stored != TarBlock.sum(of: block) && stored != signed { return nil }
    }

    var type: UInt8 { block[TarBlock.type] }

    var mode: Int { number(at: TarBlock.mode) ?? 0 }

    var size: Int? { number(at: TarBlock.length) }

    var link: [UInt8] { string(at: TarBlock.link) }

    var path: [UInt8] {
        let prefix = Array(block[TarBlock.magic]) == TarBlock.posix ? string(at: TarBlock.prefix) : []
        return prefix.isEmpty ? string(at: TarBlock.name) : prefix + [UInt8(ascii: "/")] + string(at: TarBlock.name)
    }

    private func string(at field: Range<Int>) -> [UInt8] { Array(block[field].prefix { $0 != 0 }) }

    /// Reads an octal number, or a big-endian one (GNU) if the first bit is set; nil if it is neither.
    private func number(at field: Range<Int>) -> Int? {
        let bytes = block[field]
        if let first = bytes.first, first & 0x80 != 0 {
            if first != 0x80 { return nil }  // 0xff: negative
            return bytes.dropFirst().reduce(into: Int?(0)) { number, byte in
                number = number.flatMap { $0 > Int.max >> 8 ? nil : $0 << 8 | Int(byte) }
            }
        }
        let digits = bytes.drop { $0 == UInt8(ascii: " ") }.prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        if digits.isEmpty { return 0 }
        return digits.allSatisfy { (0x30...0x37).contains($0) } ? Int(digits.text, radix: 8) : nil
    }
}
