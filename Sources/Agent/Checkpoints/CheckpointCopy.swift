internal import Glibc
internal import Shared

/// Copies the files of a checkpoint with their times and modes, and compares each with its receipt on the way.
struct CheckpointCopy: Sendable {
    /// Bytes to read per second at most; nil for no limit.
    var bytesPerSecond: Int?
    /// Asked before each read.
    var isCancelled: @Sendable () -> Bool

    private static let bufferSize = 128 << 10  // bytes; small, so that pauses of the read limit are short

    /// Copies a checkpoint from `path` to `target`. Links to files become files. Blocks; does not sync the copy.
    ///
    /// Throws a `Problem` if a file does not match `receipt` or there is no room, and `CancellationError`. A part of
    /// the copy is left then. Memory is one buffer, whatever the size of the files.
    func make(of receipt: Receipt, at path: String, to target: String) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 4096)
        defer { buffer.deallocate() }
        var pace = ReadingPace(bytesPerSecond)
        for file in receipt.files {
            let source = CheckpointFolder.path(of: file.name, in: path)
            let copy = CheckpointFolder.path(of: file.name, in: target)
            try File.makeFolders(copy.parentFolder)
            do {
                guard try self.copy(source, to: copy, buffer, &pace).description == file.sha256 else {
                    throw Problem("\"\(source)\" does not match its receipt")
                }
            } catch let error as Errno {
                throw Problem("copy \"\(source)\"", errno: error.code)
            } catch is InputFile.NotRegularFile {
                throw Problem("\"\(source)\" is not a file any more")
            }
        }
    }

    private func copy(
        _ path: String, to target: String, _ buffer: UnsafeMutableRawBufferPointer, _ pace: inout ReadingPace
    ) throws -> SHA256Digest {
        let source = try InputFile(path)
        var status = stat()
        try Errno.check { fstat(source.descriptor, &status) }
        let file = try Errno.check { open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600) }
        defer { close(file) }
        var hasher = SHA256Hasher()
        var offset = 0
        while true {
            if isCancelled() { throw CancellationError() }
            let count = try source.read(at: offset, into: buffer)
            let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            hasher.update(bytes)
            try File.write(bytes, to: file)
            offset += count
            if count < buffer.count { break }
            pace.wait(after: count)
        }
        try Errno.check { fchmod(file, status.st_mode & 0o7777) }
        try Errno.check { futimens(file, [status.st_atim, status.st_mtim]) }
        return hasher.finish()
    }
}
