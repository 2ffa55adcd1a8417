internal import Glibc
internal import Shared

/// The entries of an open folder, in the order of the volume.
final class FolderStream {
    private let stream: OpaquePointer

    init(_ folder: Descriptor) throws(Errno) {
        // fdopendir(3) takes over its descriptor, and the position in the folder belongs to the descriptor. So this
        // type opens its own.
        let own = try Errno.check { openat(folder.number, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard let stream = fdopendir(own) else {
            let error = Errno.current
            close(own)
            throw error
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// The descriptor for the `*at` calls. Valid as long as this object lives.
    var descriptor: Int32 { dirfd(stream) }

    /// Returns the next name except `.` and `..`; nil at the end.
    func next() throws(Errno) -> [UInt8]? {
        while true {
            // readdir(3): only errno distinguishes an error from the end.
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
