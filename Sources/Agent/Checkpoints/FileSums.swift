internal import Glibc
internal import Shared

/// The SHA-256 of one file, with the file's size and time when it was read.
struct FileSum: Sendable, Equatable {
    /// The file's path inside the checkpoint; empty if the checkpoint is a single file.
    var name: String
    /// The file's size in bytes.
    var size: Int
    /// The file's time of change, in nanoseconds since 1970.
    var modified: Int
    var sha256: SHA256Digest
}

/// Computes the SHA-256 of each file of a checkpoint.
struct FileSums: Sendable {
    /// Bytes to read per second at most; nil for no limit.
    var bytesPerSecond: Int?
    /// Read the content from the disk and not from the page cache, and leave none of it there. Sync it before, because
    /// unsynced pages still come from the cache. A file system with a cache of its own ignores this.
    var bypassesCache = false
    /// Asked before each read.
    var isCancelled: @Sendable () -> Bool = { false }

    private static let bufferSize = 1 << 20  // bytes
    /// With a read limit: small, so that pauses are short.
    private static let limitedBufferSize = 128 << 10  // bytes

    /// Returns the sum of each file of the checkpoint at `path`, a folder or a single file, ordered by name. Includes
    /// links to files, and the files beside it of the names `companions`. Leaves out pipes, devices and links to
    /// folders.
    ///
    /// Blocks, and may hang with its volume. Memory is one buffer, whatever the size of the files. Throws a `Problem`
    /// that names the file if it cannot be read or changes meanwhile, and `CancellationError`.
    func of(_ path: String, with companions: [String] = []) throws -> [FileSum] {
        var sums: [FileSum] = []
        try each(of: path, with: companions) { sums.append($0) }
        return sums
    }

    /// Like `of`, but calls `body` with each sum as soon as it is known.
    func each(of path: String, with companions: [String] = [], _ body: (FileSum) throws -> Void) throws {
        let content = try CheckpointContent(of: path, with: companions)
        let size = bytesPerSecond == nil ? Self.bufferSize : Self.limitedBufferSize
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        defer { buffer.deallocate() }
        var pace = ReadingPace(bytesPerSecond)
        for name in content.files {
            let file: InputFile
            do {
                file = try InputFile(content.path(of: name))
            } catch is InputFile.NotRegularFile {
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
        if bypassesCache { posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_DONTNEED) }
        posix_fadvise(file.descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
        var hasher = SHA256Hasher()
        var offset = 0
        do {
            while true {
                if isCancelled() { throw CancellationError() }
                let count = try file.read(at: offset, into: buffer)
                hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                if bypassesCache { posix_fadvise(file.descriptor, off_t(offset), off_t(count), POSIX_FADV_DONTNEED) }
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

/// Keeps a reader at a number of bytes a second by sleeping. nil is no limit.
struct ReadingPace {
    private let bytesPerSecond: Int?
    /// When the next byte may be read.
    private var next = ContinuousClock.now

    init(_ bytesPerSecond: Int?) { self.bytesPerSecond = bytesPerSecond.map { max(1, $0) } }

    /// Sleeps until the reader may read more after these `count` bytes. Time in which it read nothing is not made up
    /// for.
    mutating func wait(after count: Int) {
        guard let bytesPerSecond else { return }
        next = max(next, .now) + .seconds(Double(count) / Double(bytesPerSecond))
        let pause = ContinuousClock.now.duration(to: next)
        if pause > .zero { usleep(UInt32(min(pause.inSeconds, 3600) * 1e6)) }
    }
}
