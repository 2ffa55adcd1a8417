#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The times at which the bytes of a run's log arrived. Each attempt has a file of its own, so a death needs no repair.
public enum LogIndex {
    /// A line of fixed length: bytes that arrived from `time` on begin at `offset`.
    public struct Entry: Sendable, Equatable {
        /// The size of an entry on the volume, in bytes.
        public static let size = 32

        /// Seconds since 1970.
        public var time: Int
        public var offset: Int

        public init(time: Int, offset: Int) {
            self.time = time
            self.offset = offset
        }

        public var line: [UInt8] { Array("\(String(time, width: 10)) \(String(offset, width: 20))\n".utf8) }

        /// nil if a loss of power damaged the line.
        public init?(line: [UInt8]) {
            let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard line.count == Self.size, fields.count == 2, fields[1].last == UInt8(ascii: "\n"),
                let time = Int(fields[0].text), let offset = Int(fields[1].dropLast().text)
            else { return nil }
            self.init(time: time, offset: offset)
        }
    }

    /// Returns an offset such that all bytes that arrived since `time` are at or after it. `time` is in seconds since
    /// 1970.
    ///
    /// Some older bytes may follow too, at most those of one interval of the writer. 0 if all bytes arrived later.
    public static func offset(at time: Int, in run: RunFolder) throws(Problem) -> Int {
        guard try File.exists(run.logs) else { return 0 }
        let files = try File.listFiles(run.logs).filter { begin(of: $0) != nil }
        var bound = Int.max
        for name in files.reversed() {
            if let entry = try last(notAfter: time, in: "\(run.logs)/\(name)") { return min(entry.offset, bound) }
            bound = begin(of: name) ?? bound
        }
        return 0
    }

    /// Returns the offset at which an index begins; nil if `name` is not the name of an index.
    public static func begin(of name: String) -> Int? {
        name.hasSuffix(".index") ? Int(name.prefix(20)) : nil
    }

    private static func last(notAfter time: Int, in path: String) throws(Problem) -> Entry? {
        do throws(Errno) {
            let file = try Errno.check { open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC) }
            defer { close(file) }
            var count = try File.status(of: file).size / Entry.size
            var found: Entry?
            var first = 0
            while first < count {
                let middle = (first + count) / 2
                var line = [UInt8](repeating: 0, count: Entry.size)
                try Errno.check { pread(file, &line, line.count, off_t(middle * Entry.size)) }
                if let entry = Entry(line: line), entry.time <= time {
                    found = entry
                    first = middle + 1
                } else {
                    count = middle
                }
            }
            return found
        } catch {
            // Retention removed the file after it was listed.
            if error.code == ENOENT { return nil }
            throw Problem("read \"\(path)\"", errno: error.code)
        }
    }
}
