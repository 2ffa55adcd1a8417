internal import Glibc
internal import Shared

/// The entries of an open folder, one by one in the order in which the volume has them.
final class FolderStream {
    private let stream: OpaquePointer

    init(_ folder: Descriptor) throws(Errno) {
        // A descriptor of its own: fdopendir(3) takes it over, and the place in the folder is the descriptor's.
        let own = try Errno.check { openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = fdopendir(own) else {
            let error = Errno.current
            close(own)
            throw error
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// For the `*at` calls, as long as this lives.
    var descriptor: Int32 { dirfd(stream) }

    /// The next name but for `.` and `..`; nil at the end.
    func next() throws(Errno) -> [UInt8]? {
        while true {
            // The only way to tell an error from the end, readdir(3).
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Errno.current }
                return nil
            }
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name != Array(".".utf8) && name != Array("..".utf8) { return name }
        }
    }
}
