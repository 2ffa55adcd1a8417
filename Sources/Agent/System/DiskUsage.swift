internal import Glibc
internal import Shared

/// The size and free space of a file system. Blocks, and may hang with it.
enum DiskUsage {
    static func at(_ path: String) -> Death.Disk? {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return nil }
        let block = Int(status.f_frsize)
        return Death.Disk(path: path, size: Int(status.f_blocks) * block, free: Int(status.f_bavail) * block)
    }
}
