internal import Glibc
internal import Shared

/// An open descriptor, closed with its last reference.
final class Descriptor: Sendable {
    let number: Int32

    /// Takes over `number`.
    init(_ number: Int32) { self.number = number }

    deinit { close(number) }

    /// Opens the folder at `path`.
    static func folder(_ path: String) throws(Errno) -> Descriptor {
        Descriptor(try Errno.check { Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) })
    }

    var status: FileStatus { get throws(Errno) { try File.status(of: number) } }

    /// Opens the entry `name` of this folder. Follows no link, and does not wait for a pipe or a device.
    func open(_ name: [UInt8], _ flags: Int32) throws(Errno) -> Descriptor {
        try Self.open(name, in: number, flags)
    }

    static func open(_ name: [UInt8], in folder: Int32, _ flags: Int32) throws(Errno) -> Descriptor {
        let safe = flags | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        return Descriptor(try Errno.check { openat(folder, name.cString, safe, 0o644) })
    }

    /// Reads up to `buffer.count` bytes from `offset` on. Returns their number, 0 at the end of the file.
    func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try Errno.check { pread(number, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// The target of the link that this descriptor is, opened with O_PATH. The link's name may lead elsewhere by now.
    var linkTarget: [UInt8] {
        get throws(Errno) {
            var buffer = [CChar](repeating: 0, count: VolumePath.maxLength + 1)
            let count = try Errno.check { readlinkat(number, "", &buffer, buffer.count) }
            if count == buffer.count { throw Errno(ENAMETOOLONG) }
            return buffer[..<count].map { UInt8(bitPattern: $0) }
        }
    }
}

extension [UInt8] {
    /// The name in the form of C, with a zero at the end.
    var cString: [CChar] { map { CChar(bitPattern: $0) } + [0] }
}
