#if canImport(Glibc)
internal import CLinux
internal import Glibc
#else
internal import Darwin
#endif

/// Whole files and folders by path. Each call blocks and throws a `Problem` that names the path.
public enum File {
    public static func read(_ path: String) throws(Problem) -> [UInt8] {
        try named("read", path) { () throws(Errno) in
            let file = try Errno.check { open(path, O_RDONLY | O_CLOEXEC) }
            defer { close(file) }
            var bytes: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            while true {
                let count = try Errno.check { SystemCall.read(file, &buffer, buffer.count) }
                if count == 0 { return bytes }
                bytes += buffer[..<count]
            }
        }
    }

    /// Returns the content of a file that strangers may have put there: a regular one of at most `limit` bytes. A link,
    /// a pipe or a device is a `Problem`, and never opened for longer than it takes to see that.
    public static func readRegular(_ path: String, limit: Int) throws(Problem) -> [UInt8] {
        let file = try named("read", path) { () throws(Errno) in
            try Errno.check { open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) }
        }
        defer { close(file) }
        let status = try named("read", path) { () throws(Errno) -> FileStatus in try File.status(of: file) }
        guard status.isFile else { throw Problem("\"\(path)\" is no regular file") }
        guard status.size <= limit else {
            throw Problem("\"\(path)\" has \(status.size) bytes, more than the \(limit) that such a file may have")
        }
        return try named("read", path) { () throws(Errno) in
            // One more, so that a file that grows meanwhile is found out.
            var bytes = [UInt8](repeating: 0, count: status.size + 1)
            var count = 0
            while count < bytes.count {
                let rest = bytes.count - count
                let read = try Errno.check {
                    bytes.withUnsafeMutableBytes { SystemCall.read(file, $0.baseAddress?.advanced(by: count), rest) }
                }
                if read == 0 { break }
                count += read
            }
            return Array(bytes.prefix(min(count, limit)))
        }
    }

    /// Returns up to `limit` bytes from `offset` on; fewer at the end of the file.
    public static func read(_ path: String, at offset: Int, limit: Int) throws(Problem) -> [UInt8] {
        try named("read", path) { () throws(Errno) in
            let file = try Errno.check { open(path, O_RDONLY | O_CLOEXEC) }
            defer { close(file) }
            var buffer = [UInt8](repeating: 0, count: limit)
            let count = try Errno.check { pread(file, &buffer, limit, off_t(offset)) }
            return Array(buffer[..<count])
        }
    }

    /// Reads the next bytes of an open descriptor. Returns their number, 0 at the end.
    public static func read(_ file: Int32, into buffer: UnsafeMutableRawBufferPointer) throws(Errno) -> Int {
        try Errno.check { SystemCall.read(file, buffer.baseAddress, buffer.count) }
    }

    /// Writes `bytes` so that after any crash `path` has either its former content or all of `bytes`.
    ///
    /// They are written to a staging file and synced; then it is renamed, and its folder is synced. A file that is
    /// `isShared` may be replaced by several processes at once: each has a staging file of its own.
    public static func replace(
        _ path: String, with bytes: [UInt8], mode: Int = 0o644, isShared: Bool = false
    ) throws(Problem) {
        let name = isShared ? "\(path).\([UInt8].random(count: 8).hexadecimal).new" : path + ".new"
        try named("write", path) { () throws(Errno) in
            let (file, staging) = try openStaging(name, mode: mode)
            defer { close(file) }
            try write(bytes[...], to: file)
            try Errno.check { fsync(file) }
            try Errno.check { rename(staging, path) }
        }
        try syncFolder(of: path)
    }

    /// Creates `path` with all of `bytes` in it. Returns false and changes nothing if `path` exists.
    ///
    /// `staging` is a path on the same file system that no other process uses.
    public static func createExclusively(
        _ path: String, with bytes: [UInt8], staging: String, mode: Int = 0o644
    ) throws(Problem) -> Bool {
        let created = try named("create", path) { () throws(Errno) in
            let (file, staging) = try openStaging(staging, mode: mode)
            defer {
                close(file)
                unlink(staging)
            }
            try write(bytes[...], to: file)
            try Errno.check { fsync(file) }
            do throws(Errno) {
                return try Errno.check(except: EEXIST) { link(staging, path) }
            } catch {
                // The file system has no hard links. Of two processes still only one creates the file.
                guard [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(error.code) else { throw error }
                let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode_t(mode))
                if file < 0 && errno == EEXIST { return false }
                try Errno.check { file }
                defer { close(file) }
                try write(bytes[...], to: file)
                try Errno.check { fsync(file) }
                return true
            }
        }
        if created { try syncFolder(of: path) }
        return created
    }

    /// Writes over the content of `path`, in place and without a sync. Without `truncating` a longer file keeps its
    /// rest.
    public static func write(_ bytes: [UInt8], over path: String, truncating: Bool = true) throws(Problem) {
        try named("write", path) { () throws(Errno) in
            let file = try openRegular(path)
            defer { close(file) }
            if truncating { try Errno.check { ftruncate(file, 0) } }
            try write(bytes[...], to: file)
        }
    }

    /// Opens a new file for writing. A link, a pipe or an older file under this name is removed, never opened. Returns
    /// another name if this one cannot be had.
    private static func openStaging(_ path: String, mode: Int) throws(Errno) -> (file: Int32, path: String) {
        let flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC
        unlink(path)
        let file = open(path, flags, mode_t(mode))
        if file >= 0 { return (file, path) }
        guard errno == EEXIST else { throw Errno.current }
        let other = "\(path).\([UInt8].random(count: 8).hexadecimal)"
        return (try Errno.check { open(other, flags, mode_t(mode)) }, other)
    }

    /// Opens a regular file for writing, or creates it. What else has its name is removed first.
    private static func openRegular(_ path: String) throws(Errno) -> Int32 {
        let flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = open(path, flags, 0o644)
        if file >= 0 {
            if try status(of: file).isFile { return file }
            close(file)
        } else if errno != ELOOP && errno != ENXIO {
            // ELOOP: a link; ENXIO: a pipe that nothing reads, or a socket, open(2).
            throw Errno.current
        }
        return try openStaging(path, mode: 0o644).file
    }

    /// Writes all of `bytes` to an open descriptor.
    public static func write(_ bytes: ArraySlice<UInt8>, to file: Int32) throws(Errno) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try Errno.check {
                rest.withUnsafeBytes { SystemCall.write(file, $0.baseAddress, $0.count) }
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes all of `bytes` to an open descriptor.
    public static func write(_ bytes: UnsafeRawBufferPointer, to file: Int32) throws(Errno) {
        var written = 0
        while written < bytes.count {
            written += try Errno.check {
                SystemCall.write(file, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            }
        }
    }

    /// Brings the content of a file, or the entries of a folder, to stable storage.
    public static func sync(_ path: String) throws(Problem) {
        try named("sync", path) { () throws(Errno) in
            let file = try Errno.check { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
            defer { close(file) }
            try Errno.check { fsync(file) }
        }
    }

    public static func syncFolder(of path: String) throws(Problem) {
        let folder = path.parentFolder
        try named("sync folder", folder) { () throws(Errno) in
            let file = try Errno.check { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
            defer { close(file) }
            try Errno.check { fsync(file) }
        }
    }

    /// Returns the names of the regular files in a folder, sorted.
    public static func listFiles(_ folder: String) throws(Problem) -> [String] {
        try list(folder) { type, name in
            // Some file systems do not tell what an entry is, readdir(3).
            type == Int(DT_UNKNOWN) ? status("\(folder)/\(name)")?.isFile == true : type == Int(DT_REG)
        }
    }

    /// Returns the names in a folder, sorted, without `.` and `..`.
    public static func list(_ folder: String) throws(Problem) -> [String] { try list(folder) { _, _ in true } }

    private static func list(
        _ folder: String, where isWanted: (_ type: Int, _ name: String) -> Bool
    ) throws(Problem) -> [String] {
        guard let stream = opendir(folder) else { throw Problem("list folder \"\(folder)\"", errno: errno) }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            // readdir(3): only errno distinguishes an error from the end.
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != "..", isWanted(Int(entry.pointee.d_type), name) { names.append(name) }
        }
        if errno != 0 { throw Problem("list folder \"\(folder)\"", errno: errno) }
        return names.sorted()
    }

    public static func makeFolders(_ path: String) throws(Problem) {
        if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
        guard errno == ENOENT, path.parentFolder != path else {
            throw Problem("create folder \"\(path)\"", errno: errno)
        }
        try makeFolders(path.parentFolder)
        try named("create folder", path) { () throws(Errno) in
            try Errno.check(except: EEXIST) { mkdir(path, 0o755) }
        }
    }

    public static func readLink(_ path: String) throws(Problem) -> String {
        try named("read link", path) { () throws(Errno) in
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            let count = try Errno.check { readlink(path, &buffer, buffer.count) }
            return buffer[..<count].map { UInt8(bitPattern: $0) }.text
        }
    }

    /// Puts a symbolic link at `path` in one step. It replaces a link that is there.
    public static func replaceLink(_ path: String, to target: String) throws(Problem) {
        let staging = path + ".new"
        unlink(staging)
        try named("link", path) { () throws(Errno) in
            try Errno.check { symlink(target, staging) }
            try Errno.check { rename(staging, path) }
        }
    }

    public static func remove(_ path: String) throws(Problem) {
        try named("remove", path) { () throws(Errno) in
            try Errno.check(except: ENOENT) { unlink(path) }
        }
    }

    /// Removes a file, or a folder with its content. Links are removed, not followed. An absent path is no error.
    public static func removeTree(_ path: String) throws(Problem) {
        guard let status = status(path) else { return }
        guard status.isFolder else { return try remove(path) }
        for name in try list(path) { try removeTree(path + "/" + name) }
        try named("remove folder", path) { () throws(Errno) in
            try Errno.check(except: ENOENT) { rmdir(path) }
        }
    }

    /// Returns the status of `path`; nil if nothing is there. Links are not followed.
    public static func status(_ path: String) -> FileStatus? {
        var status = stat()
        return lstat(path, &status) == 0 ? FileStatus(status) : nil
    }

    /// Returns the status of the file that `path` leads to; nil if there is none. Links are followed.
    public static func statusOfTarget(_ path: String) -> FileStatus? {
        var status = stat()
        return stat(path, &status) == 0 ? FileStatus(status) : nil
    }

    /// Moves a file or folder in one step on the same file system. Replaces a file at `target`.
    public static func move(_ path: String, to target: String) throws(Problem) {
        try named("move", path) { () throws(Errno) in try Errno.check { rename(path, target) } }
    }

    /// Returns the status of an open descriptor.
    public static func status(of file: Int32) throws(Errno) -> FileStatus {
        var status = stat()
        try Errno.check { fstat(file, &status) }
        return FileStatus(status)
    }

    /// Returns the status of the entry `name` of an open folder. Links are not followed. `name` has no zero at its end.
    public static func status(of name: [UInt8], in folder: Int32) throws(Errno) -> FileStatus {
        var status = stat()
        let path = name.map { CChar(bitPattern: $0) } + [0]
        try Errno.check { fstatat(folder, path, &status, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(status)
    }

    /// Whether something is at `path`, links followed. Throws if the file system does not answer.
    public static func exists(_ path: String) throws(Problem) -> Bool {
        if access(path, F_OK) == 0 { return true }
        if errno == ENOENT || errno == ENOTDIR { return false }
        throw Problem("find \"\(path)\"", errno: errno)
    }

    /// Returns the absolute path without links; nil if nothing is there.
    public static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }

    public static func isExecutable(_ path: String) -> Bool { access(path, X_OK) == 0 }

    @discardableResult
    private static func named<Result>(
        _ verb: String, _ path: String, _ body: () throws(Errno) -> Result
    ) throws(Problem) -> Result {
        do { return try body() } catch { throw Problem("\(verb) \"\(path)\"", errno: error.code) }
    }
}

/// A part of the result of lstat(2).
public struct FileStatus: Sendable, Codable, Equatable {
    public var size: Int
    /// Nanoseconds since 1970.
    public var modified: Int
    public var isFolder: Bool
    public var isLink: Bool
    /// Whether it is a regular file: no folder, link, device, pipe or socket.
    public var isFile: Bool
    public var isExecutable: Bool

    init(_ status: stat) {
        size = Int(status.st_size)
        #if canImport(Glibc)
        modified = withUnsafePointer(to: status) { Int(linux_modified_time($0)) }
        #else
        modified = status.st_mtimespec.tv_sec * 1_000_000_000 + status.st_mtimespec.tv_nsec
        #endif
        isFolder = status.st_mode & S_IFMT == S_IFDIR
        isLink = status.st_mode & S_IFMT == S_IFLNK
        isFile = status.st_mode & S_IFMT == S_IFREG
        isExecutable = status.st_mode & 0o100 != 0
    }
}

/// C functions with the same names as functions above.
private enum SystemCall {
    static func read(_ file: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.read(file, buffer, count)
        #else
        Darwin.read(file, buffer, count)
        #endif
    }

    static func write(_ file: Int32, _ buffer: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.write(file, buffer, count)
        #else
        Darwin.write(file, buffer, count)
        #endif
    }
}
