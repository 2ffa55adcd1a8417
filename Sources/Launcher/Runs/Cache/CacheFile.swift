internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A file of the cache that is open for writing.
final class CacheFile: Sendable {
    private let path: String
    private let file: Int32

    /// Opens the file at `path`, or creates it.
    init(_ path: String) throws(Problem) {
        self.path = path
        do {
            file = try Errno.check { open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600) }
        } catch {
            throw Problem("open \"\(path)\"", errno: error.code)
        }
    }

    deinit { close(file) }

    /// Another launcher that writes the same bytes at the same place does no harm.
    func write(_ bytes: [UInt8], at offset: Int) throws(Problem) {
        var written = 0
        while written < bytes.count {
            let (start, count) = (offset + written, bytes.count - written)
            written += try perform { () throws(Errno) in
                try Errno.check {
                    bytes.withUnsafeBytes { pwrite(file, $0.baseAddress?.advanced(by: written), count, off_t(start)) }
                }
            }
        }
    }

    func truncate(to size: Int) throws(Problem) {
        try perform { () throws(Errno) in try Errno.check { ftruncate(file, off_t(size)) } }
    }

    /// Brings the content to stable storage.
    func sync() throws(Problem) {
        try perform { () throws(Errno) in try Errno.check { fsync(file) } }
    }

    /// `modified` is in nanoseconds since 1970.
    fileprivate func stamp(_ modified: Int) throws(Problem) {
        let time = timespec(tv_sec: modified / 1_000_000_000, tv_nsec: modified % 1_000_000_000)
        try perform { () throws(Errno) in try Errno.check { futimens(file, [time, time]) } }
    }

    @discardableResult
    private func perform<Result>(_ body: () throws(Errno) -> Result) throws(Problem) -> Result {
        do { return try body() } catch { throw Problem("write \"\(path)\"", errno: error.code) }
    }
}

extension CacheFile {
    private static let stagingPrefix = ".staging-"

    static func isStaging(_ name: String) -> Bool { name.hasPrefix(stagingPrefix) }

    /// The place where the file at `path` is made. A file that is made bit by bit passes its own name as `part`.
    static func stagingPath(of path: String, part: String = [UInt8].random(count: 8).hexadecimal) -> String {
        "\(path.parentFolder)/\(stagingPrefix)\(part)"
    }

    /// Creates or replaces the file at `path` in one step. `modified` is in nanoseconds since 1970.
    static func replace(_ path: String, with bytes: [UInt8], modified: Int) throws(Problem) {
        let staging = stagingPath(of: path)
        try File.makeFolders(path.parentFolder)
        do {
            let file = try CacheFile(staging)
            try file.write(bytes, at: 0)
            try file.stamp(modified)
            try File.move(staging, to: path)
        } catch {
            try? File.remove(staging)
            throw error
        }
    }
}
