/// Writes a tar archive in POSIX pax format: ustar headers, and an extended header before a member that does not fit.
///
/// Equal input gives equal bytes: there is no time, no owner, and no permission but the executable bit. The caller
/// decides the order of the members.
public struct TarWriter: ~Copyable {
    private let sink: (UnsafeRawBufferPointer) throws -> Void
    private var current = TarEntry("", .folder)
    /// The bytes of the current member's content that `write` has not got yet.
    private var missing = 0

    /// `sink` takes the archive in pieces of any size.
    public init(sink: @escaping (UnsafeRawBufferPointer) throws -> Void) { self.sink = sink }

    /// Writes to an open descriptor, without a buffer.
    public init(file: Int32) {
        self.init { try File.write($0, to: file) }
    }

    /// Begins a member. `write` adds the whole content of a file before the next member begins.
    ///
    /// `path` and `target` replace those of `entry` if they are not UTF-8.
    public mutating func begin(_ entry: TarEntry, path: [UInt8]? = nil, target bytes: [UInt8]? = nil) throws {
        try checkComplete()
        current = entry
        missing = entry.size

        var records: [UInt8] = []
        var header = Header()
        let path = path ?? Array(entry.path.utf8)
        let isFolder = entry.kind == .folder
        if !header.set(path: isFolder ? path + [UInt8(ascii: "/")] : path) { records += record("path", path) }
        switch entry.kind {
        case .file(let size, let isExecutable):
            header.type = TarType.file
            header.set(isExecutable ? 0o755 : 0o644, at: TarBlock.mode)
            if !header.set(size, at: TarBlock.length) { records += record("size", Array(String(size).utf8)) }
        case .folder:
            header.type = TarType.folder
            header.set(0o755, at: TarBlock.mode)
        case .link(let target):
            header.type = TarType.link
            header.set(0o777, at: TarBlock.mode)
            let target = bytes ?? Array(target.utf8)
            if !header.set(link: target) { records += record("linkpath", target) }
        }

        if !records.isEmpty {
            var extended = Header()
            extended.type = TarType.extended
            extended.set(path: Array("PaxHeaders/entry".utf8))
            extended.set(0o644, at: TarBlock.mode)
            extended.set(records.count, at: TarBlock.length)
            try put(extended.block)
            try put(records + [UInt8](repeating: 0, count: TarBlock.padding(after: records.count)))
        }
        try put(header.block)
    }

    /// Writes the next bytes of the current file's content.
    public mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
        if bytes.count > missing { throw Problem("\"\(current.path)\" is longer than \(current.size) bytes") }
        if bytes.isEmpty { return }
        missing -= bytes.count
        try sink(bytes)
        if missing == 0 { try pad(TarBlock.padding(after: current.size)) }
    }

    /// Ends the archive with two blocks of zeros.
    public mutating func finish() throws {
        try checkComplete()
        try pad(2 * TarBlock.size)
    }

    private func checkComplete() throws {
        if missing > 0 { throw Problem("\"\(current.path)\" lacks \(missing) of its \(current.size) bytes") }
    }

    private func put(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes(sink) }

    private func pad(_ count: Int) throws {
        if count > 0 { try put([UInt8](repeating: 0, count: count)) }
    }

    /// Returns a record `LENGTH KEY=VALUE\n`. The length includes its own digits.
    private func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let rest = Array(" \(key)=".utf8) + value + [UInt8(ascii: "\n")]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
        return Array(String(length).utf8) + rest
    }
}

/// A header block that is being filled. A value that does not fit is shortened, for readers without pax.
private struct Header {
    private var bytes = [UInt8](repeating: 0, count: TarBlock.size)

    var type: UInt8 {
        get { bytes[TarBlock.type] }
        set { bytes[TarBlock.type] = newValue }
    }

    init() {
        put(TarBlock.posix, at: TarBlock.magic)
        for field in [TarBlock.owner, TarBlock.group, TarBlock.length, TarBlock.time] { set(0, at: field) }
    }

    var block: [UInt8] {
        var block = self
        // Six digits, a zero and a space: the usual form of the checksum.
        block.set(TarBlock.sum(of: bytes), at: TarBlock.checksum.lowerBound..<TarBlock.checksum.upperBound - 1)
        block.bytes[TarBlock.checksum.upperBound - 1] = UInt8(ascii: " ")
        return block.bytes
    }

    /// Returns false if the path fits neither `name` nor `prefix/name`.
    @discardableResult
    mutating func set(path: [UInt8]) -> Bool {
        if path.count <= TarBlock.name.count {
            put(path, at: TarBlock.name)
            return true
        }
        let slash = UInt8(ascii: "/")
        let cut = path.indices.first { index in
            path[index] == slash && index > 0 && index < path.count - 1 && index <= TarBlock.prefix.count
                && path.count - index - 1 <= TarBlock.name.count
        }
        if let cut {
            put(path[..<cut], at: TarBlock.prefix)
            put(path[(cut + 1)...], at: TarBlock.name)
            return true
        }
        var short = path.prefix(TarBlock.name.count)
        while short.last == slash { short.removeLast() }
        put(short, at: TarBlock.name)
        return false
    }

    mutating func set(link target: [UInt8]) -> Bool {
        put(target.prefix(TarBlock.link.count), at: TarBlock.link)
        return target.count <= TarBlock.link.count
    }

    /// Writes an octal number. Returns false and writes zero if the field is too short.
    @discardableResult
    mutating func set(_ number: Int, at field: Range<Int>) -> Bool {
        let digits = Array(String(number, radix: 8).utf8)
        let room = field.count - 1
        if digits.count > room {
            set(0, at: field)
            return false
        }
        put([UInt8](repeating: UInt8(ascii: "0"), count: room - digits.count) + digits + [0], at: field)
        return true
    }

    private mutating func put(_ value: some Collection<UInt8>, at field: Range<Int>) {
        bytes.replaceSubrange(field.lowerBound..<field.lowerBound + value.count, with: value)
    }
}
