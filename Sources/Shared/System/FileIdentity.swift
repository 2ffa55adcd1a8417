#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A file or folder by its device and inode, whatever path leads to it.
public struct FileIdentity: Sendable, Hashable {
    private let device: UInt64
    private let inode: UInt64

    private init(_ status: stat) {
        device = UInt64(truncatingIfNeeded: status.st_dev)
        inode = UInt64(truncatingIfNeeded: status.st_ino)
    }

    /// Returns nil if nothing is at `path`. Does not follow a link unless `followsLink` is set.
    public init?(_ path: String, followsLink: Bool = false) {
        var status = stat()
        guard (followsLink ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        self.init(status)
    }

    /// Returns nil unless the open descriptor leads to a regular file.
    public init?(ofFile file: Int32) {
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        self.init(status)
    }
}
