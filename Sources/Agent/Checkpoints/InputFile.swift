internal import Glibc
internal import Shared

/// A regular file open for reading. Its content is not trusted: callers check each offset against the size that the
/// system reports. Closed on deinit.
final class InputFile {
    let size: Int
    /// The file's time of change when it was opened, in nanoseconds since 1970.
    let modified: Int
    let descriptor: Int32

    /// Follows links. Throws `Errno`, or `NotRegularFile` for a pipe, a device or a folder. Never waits for one of
    /// those.
    init(_ path: String) throws {
        // O_NONBLOCK: opening a pipe without a writer returns at once. It has no effect on a regular file.
        let descriptor = try Errno.check { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
        do {
            let status = try File.status(of: descriptor)
            if !status.isFile { throw NotRegularFile() }
            (size, modified) = (status.size, status.modified)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    struct NotRegularFile: Error {}

    /// Fills `buffer` from `offset` on, and returns the number of bytes: fewer than asked only at the end of the file.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = try Errno.check {
                pread(
                    descriptor, buffer.baseAddress?.advanced(by: filled), buffer.count - filled, off_t(offset + filled))
            }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    /// Returns exactly `count` bytes from `offset` on. The caller keeps `count` small and inside `size`.
    /// Throws `Damage` if the file has become shorter meanwhile.
    func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { try self.read(at: offset, into: $0) }
        if read < count { throw Damage("ends at byte \(offset + read) while it is read") }
        return bytes
    }

    /// Returns the first `count` bytes, or fewer if the file is shorter.
    func head(_ count: Int) throws -> [UInt8] { try bytes(at: 0, count: min(count, size)) }

    /// Returns the last `count` bytes, or fewer if the file is shorter.
    func tail(_ count: Int) throws -> [UInt8] {
        let count = min(count, size)
        return try bytes(at: size - count, count: count)
    }
}

/// Damage of one file. `sentence` continues a sentence that begins with the file's name.
struct Damage: Error, Equatable {
    var sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

extension Sequence<UInt8> {
    /// These bytes as a number, with the lowest byte first.
    var littleEndian: UInt64 { reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
