internal import Glibc
internal import Shared

/// An open pack of code on the volume, whose size and SHA-256 have been checked.
struct CodeArchive: ~Copyable {
    /// The most parts of a path.
    private static let maxParts = 128

    struct Member {
        var entry: TarEntry
        /// The offset of its content in the pack.
        var offset: Int
    }

    private let path: String
    private let file: Int32

    /// Opens the pack and checks its size and SHA-256. Calls `step` between two reads; `step` may throw to cancel.
    init(_ path: String, is code: PackedCode, step: () throws -> Void) throws {
        self.path = path
        file = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        if file < 0 {
            throw Problem(
                "open the packed code \"\(path)\"", errno: errno, hint: "\"launch run\" packs and sends it again")
        }
        var hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: Self.pieceSize)
        var size = 0
        while true {
            try step()
            let count = try Self.read(file, path, into: &buffer, at: size)
            if count == 0 { break }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
            size += count
        }
        let digest = hasher.finish()
        if size != code.size || digest.description != code.sha256 {
            throw Problem(
                "the packed code \"\(path)\" is damaged: it has \(size) bytes of SHA-256 \(digest), not \(code.size)",
                hint: "remove it; \"launch run\" packs and sends it again")
        }
    }

    deinit { if file >= 0 { close(file) } }

    /// Returns the members ordered by the bytes of their paths. If two have the same path, returns the last one.
    func members() throws -> [Member] {
        var members: [CodePath: Member] = [:]
        lseek(file, 0, SEEK_SET)
        var reader = TarReader(file: file)
        while let entry = try reader.next() {
            guard entry.path.utf8.count(where: { $0 == CodePath.slash }) < Self.maxParts else {
                throw Problem("the packed code has a path of more than \(Self.maxParts) parts: \"\(entry.path)\"")
            }
            members[Array(entry.path.utf8)] = Member(entry: entry, offset: reader.position)
        }
        var checked: Set<CodePath> = []
        for path in members.keys {
            // The folders above a checked folder were checked with it.
            for folder in path.folders.reversed() {
                guard checked.insert(folder).inserted else { break }
                if let outer = members[folder], outer.entry.kind != .folder {
                    throw Problem("the packed code has \"\(outer.entry.path)\" both as a file and as a folder")
                }
            }
        }
        return members.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }

    func content(of member: Member) throws -> CodeContent {
        switch member.entry.kind {
        case .folder: return .folder
        case .link(let target): return .link(target: Array(target.utf8))
        case .file(let size, let isExecutable):
            var hasher = SHA256Hasher()
            try read(member) { bytes in bytes.withUnsafeBytes { hasher.update($0) } }
            return .file(sha256: hasher.finish().description, size: size, isExecutable: isExecutable)
        }
    }

    /// Calls `body` with each piece of a file's content.
    func read(_ member: Member, _ body: (ArraySlice<UInt8>) throws -> Void) throws {
        var buffer = [UInt8](repeating: 0, count: min(Self.pieceSize, max(member.entry.size, 1)))
        var done = 0
        while done < member.entry.size {
            let count = min(
                try Self.read(file, path, into: &buffer, at: member.offset + done), member.entry.size - done)
            if count == 0 { throw Problem("the packed code \"\(path)\" became shorter") }
            try body(buffer[..<count])
            done += count
        }
    }

    private static func read(
        _ file: Int32, _ path: String, into buffer: inout [UInt8], at offset: Int
    ) throws(Problem) -> Int {
        do {
            return try Errno.check { pread(file, &buffer, buffer.count, off_t(offset)) }
        } catch {
            throw Problem("read the packed code \"\(path)\"", errno: error.code)
        }
    }

    private static let pieceSize = 256 << 10
}
