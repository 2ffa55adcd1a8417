internal import CLinux
internal import Glibc
internal import Shared

enum FileSystem {
    /// File systems that only this machine writes to, so that inotify(7) reports every change on them.
    private static let reporting: Set<Int> = [
        Int(EXT4_SUPER_MAGIC), Int(XFS_SUPER_MAGIC), Int(BTRFS_SUPER_MAGIC), Int(F2FS_SUPER_MAGIC), Int(TMPFS_MAGIC),
        0x2fc1_2fc1,  // ZFS, which is not in <linux/magic.h>
    ]

    /// Whether inotify(7) reports every change of the file system at `path`.
    static func reportsChanges(at path: String) -> Bool { kind(at: path).map(reporting.contains) ?? false }

    static func isFUSE(at path: String) -> Bool { kind(at: path) == Int(FUSE_SUPER_MAGIC) }

    /// The number of the file system's kind, statfs(2). nil if it does not answer.
    private static func kind(at path: String) -> Int? {
        var status = statfs()
        return statfs(path, &status) == 0 ? Int(status.f_type) : nil
    }

    /// Brings everything below the folder `path` to stable storage, as fast as the file system can.
    static func syncAll(below path: String) throws {
        // The kernel does not pass syncfs(2) on to a FUSE file system.
        if isFUSE(at: path) { try syncTree(path) } else { try sync(at: path) }
    }

    /// Brings a file, or a folder with everything below it, to stable storage, and nothing else.
    ///
    /// Starts writing all files before it waits for the first one. Otherwise each file costs a write of the file
    /// system's journal, and ten thousand files take many seconds.
    static func syncTree(_ path: String) throws {
        try each(of: path) { path, isFolder in
            if !isFolder { startWriting(path) }
        }
        try each(of: path) { path, _ in try File.sync(path) }
    }

    /// Calls `body` for the regular files, and for each folder after everything in it.
    private static func each(of path: String, _ body: (_ path: String, _ isFolder: Bool) throws -> Void) throws {
        guard let status = File.status(path) else { return }
        if status.isFolder {
            for name in try File.list(path) { try each(of: "\(path)/\(name)", body) }
        }
        // Opening a pipe waits for its reader, and a link to a folder leads out of the tree.
        if status.isFolder || File.statusOfTarget(path)?.isFile == true { try body(path, status.isFolder) }
    }

    /// Makes the kernel start to write a file's content to the disk, without waiting, sync_file_range(2). Ignores
    /// errors, because `File.sync` follows later.
    private static func startWriting(_ path: String) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        _ = sync_file_range(file, 0, 0, linux_start_writing)
    }

    /// Brings everything on the file system that holds `path` to stable storage, syncfs(2).
    static func sync(at path: String) throws(Problem) {
        do {
            let file = try Errno.check { open(path, O_RDONLY | O_CLOEXEC) }
            defer { close(file) }
            try Errno.check { syncfs(file) }
        } catch {
            throw Problem("sync the file system of \"\(path)\"", errno: error.code)
        }
    }
}
