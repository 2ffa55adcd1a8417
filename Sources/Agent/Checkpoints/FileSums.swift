internal import Glibc
internal import Shared

/// The SHA-256 of one file, and what it was taken of.
struct FileSum: Sendable, Equatable {
    /// By its path inside the checkpoint; of a checkpoint that is one file, empty.
    var name: String
    /// Bytes.
    var size: Int
    /// Nanoseconds since 1970.
    var modified: Int
    var sha256: SHA256Digest
}

/// Takes the SHA-256 of every file of a checkpoint.
struct FileSums: Sendable {
    /// Bytes read in a second at most; nil: as fast as it goes.
    var bytesPerSecond: Int?
    /// The content comes from the disk and not from memory, and leaves none there. Of what was not synced before, some may still come
    /// from memory; so may all on a file system that keeps its own.
    var passesCache = false
    /// Asked before each buffer.
    var isCancelled: @Sendable () -> Bool = { false }

    private static let bufferSize = 1 << 20  // bytes
    /// With a limit, so that no pause is long.
    private static let limitedBufferSize = 128 << 10

    /// Of each file of the checkpoint at `path`, a folder or a single file, in the order of their names. Links to files count as files;
    /// pipes, devices and links to folders are left out.
    ///
    /// Blocks, and may hang with its volume; one buffer, whatever the size. Throws a `Problem` that names the file where one cannot be
    /// read or changes meanwhile, and `CancellationError`.
    func of(_ path: String) throws -> [FileSum] {
        var sums: [FileSum] = []
        try each(of: path) { sums.append($0) }
        return sums
    }

    /// As `of`, and hands over each sum when it is known.
    func each(of path: String, _ body: (FileSum) throws -> Void) throws {
        let content = try CheckpointContent(of: path)
        let size = bytesPerSecond == nil ? Self.bufferSize : Self.limitedBufferSize
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        defer { buffer.deallocate() }
        var pace = ReadingPace(bytesPerSecond)
        for name in content.files {
            let file: InputFile
            do {
                file = try InputFile(content.path(of: name))
            } catch is InputFile.NoRegularFile {
                continue
            } catch let error as Errno {
                throw Problem("read \"\(content.path(of: name))\"", errno: error.code)
            }
            try body(try sum(of: file, name, at: content.path(of: name), buffer, &pace))
        }
    }

    private func sum(
        of file: InputFile, _ name: String, at path: String, _ buffer: UnsafeMutableRawBufferPointer,
        _ pace: inout ReadingPace
    ) throws -> FileSum {
        if passesCache { posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED) }
        posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        var hasher = SHA256Hasher()
        var offset = 0
        do {
            while true {
                if isCancelled() { throw CancellationError() }
                let count = try file.read(at: offset, into: buffer)
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                if passesCache { posix_fadvise(file.descriptor, off_t(offset), off_t(count), POSIX_FADV_DONTNEED) }
                offset += count
                if count < buffer.count { break }
                pace.wait(after: count)
            }
            let now = try File.status(of: file.descriptor)
            guard offset == file.size, now.size == file.size, now.modified == file.modified else {
                throw Problem("\"\(path)\" changed while it was read")
            }
        } catch let error as Errno {
            throw Problem("read \"\(path)\"", errno: error.code)
        }
        return FileSum(name: name, size: offset, modified: file.modified, sha256: hasher.finish())
    }
}

/// Keeps a reader below a limit by letting it sleep.
struct ReadingPace {
    private let bytesPerSecond: Int?
    /// When the next byte may be read.
    private var next = ContinuousClock.now

    init(_ bytesPerSecond: Int?) { self.bytesPerSecond = bytesPerSecond.map { max(1, $0) } }

    /// Returns when it may go on after `count` bytes. What was not used while the reader did something else is lost.
    mutating func wait(after count: Int) {
        guard let bytesPerSecond else { return }
        next = max(next, .now) + .seconds(Double(count) / Double(bytesPerSecond))
        let pause = ContinuousClock.now.duration(to: next)
        if pause > .zero { usleep(UInt32(min(pause.inSeconds, 3600) * 1e6)) }
    }
}
