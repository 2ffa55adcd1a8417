internal import Glibc
internal import Shared

/// A regular file that is open for reading, of which nothing is believed: its size is the system's word, and every read
/// is at a place that was held against it. Closed when it is dropped.
final class InputFile {
    let size: Int
    /// Nanoseconds since 1970.
    let modified: Int
    let descriptor: Int32

    /// Links are followed. Throws `Errno`, or `NoRegularFile` for a pipe, a device or a folder, none of which it waits for.
    init(_ path: String) throws {
        // O_NONBLOCK: a pipe without a writer does not hold the open up; it means nothing to a regular file.
        let descriptor = try Errno.check { open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY) }
        do {
            let status = try File.status(of: descriptor)
            if !status.isFile { throw NoRegularFile() }
            (size, modified) = (status.size, status.modified)
        } catch {
            close(descriptor)
            throw error
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    struct NoRegularFile: Error {}

    /// Fills `buffer` from `offset` on. Fewer bytes, or none, only at the end of the file.
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

    /// Exactly `count` bytes from `offset` on; both are the caller's and small. A file that has become shorter meanwhile is damaged.
    func bytes(at offset: Int, count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let read = try bytes.withUnsafeMutableBytes { try self.read(at: offset, into: $0) }
        if read < count { throw Damage("ends at byte \(offset + read) while it is read") }
        return bytes
    }

    /// Up to `count` bytes from the start.
    func head(_ count: Int) throws -> [UInt8] { try bytes(at: 0, count: min(count, size)) }

    /// Up to `count` bytes before the end.
    func tail(_ count: Int) throws -> [UInt8] {
        let count = min(count, size)
        return try bytes(at: size - count, count: count)
    }
}

/// What is wrong with one file: the rest of a sentence that begins with its name.
struct Damage: Error, Equatable {
    var sentence: String

    init(_ sentence: String) { self.sentence = sentence }
}

extension Sequence<UInt8> {
    /// The number that these bytes are, the lowest first.
    var littleEndian: UInt64 { reversed().reduce(0) { $0 << 8 | UInt64($1) } }
}
