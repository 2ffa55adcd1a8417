internal import CLinux
internal import Glibc
internal import NIOCore
internal import Shared
internal import Synchronization

/// A folder and everything below it as a tar archive. Links are members and are not followed. Devices, pipes and
/// sockets are left out.
final class FolderTar: FolderPieces {
    private let walk: Mutex<TarWalk>

    init(_ folder: Descriptor) throws(Errno) { walk = Mutex(TarWalk(try FolderStream(folder))) }

    func next() throws -> [UInt8]? { try walk.withLock { try $0.next() } }
}

private struct TarWalk: ~Copyable {
    /// Bytes of the archive that are not returned yet.
    private final class Output { var bytes: [UInt8] = [] }

    private struct Level {
        let stream: FolderStream
        /// The beginning of each entry's path, with a slash at the end.
        let prefix: [UInt8]
    }

    private struct Content {
        let file: Descriptor
        let size: Int
        var offset = 0
    }

    private let output: Output
    private var writer: TarWriter
    /// The open folders, the innermost last.
    private var levels: [Level]
    private var content: Content?
    private var isFinished = false

    init(_ stream: FolderStream) {
        let output = Output()
        self.output = output
        writer = TarWriter { output.bytes += $0 }
        levels = [Level(stream: stream, prefix: [])]
    }

    mutating func next() throws -> [UInt8]? {
        while output.bytes.count < FilesRoute.pieceSize && !isFinished { try step() }
        guard !output.bytes.isEmpty else { return nil }
        defer { output.bytes = [] }
        return output.bytes
    }

    private mutating func step() throws {
        if content != nil { return try writeContent() }
        guard let level = levels.last else {
            try writer.finish()
            isFinished = true
            return
        }
        guard let name = try level.stream.next() else {
            levels.removeLast()
            return
        }
        let folder = level.stream.descriptor
        do {
            try begin(name, in: folder, at: level.prefix + name)
        } catch let error as Errno where error.code == ENOENT {
            // The entry was removed meanwhile.
        }
    }

    private mutating func begin(_ name: [UInt8], in folder: Int32, at path: [UInt8]) throws {
        let entry = try Descriptor.open(name, in: folder, linux_open_as_path)
        let status = try entry.status
        if status.isLink {
            let target = try entry.linkTarget
            try writer.begin(TarEntry(path.text, .link(target: target.text)), path: path, target: target)
        } else if status.isFolder {
            guard levels.count < ConfinedFolder.maxDepth else { throw Errno(ENAMETOOLONG) }
            let stream = try FolderStream(entry)
            try writer.begin(TarEntry(path.text, .folder), path: path)
            levels.append(Level(stream: stream, prefix: path + [UInt8(ascii: "/")]))
        } else if status.isFile {
            let file = try Descriptor.open(name, in: folder, O_RDONLY)
            let status = try file.status
            guard status.isFile else { return }
            let kind = TarEntry.Kind.file(size: status.size, isExecutable: status.isExecutable)
            try writer.begin(TarEntry(path.text, kind), path: path)
            if status.size > 0 { content = Content(file: file, size: status.size) }
        }
    }

    /// Writes the next bytes of the current file, in all as many as its header says. Throws if the file became shorter.
    private mutating func writeContent() throws {
        guard var content else { return }
        let count = min(FilesRoute.pieceSize, content.size - content.offset)
        let bytes = try content.file.read(at: content.offset, count: count)
        guard bytes.readableBytes > 0 else { throw Problem("a file became shorter than \(content.size) bytes") }
        try bytes.withUnsafeReadableBytes { try writer.write($0) }
        content.offset += bytes.readableBytes
        self.content = content.offset == content.size ? nil : content
    }
}
