#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// When the bytes of a run's log came. Each attempt appends to a file of its own, so nothing has to be repaired after its death.
public enum LogIndex {
    /// "From this time on the log's bytes begin at `offset`", a line of fixed length.
    public struct Entry: Sendable, Equatable {
        /// Bytes of an entry on the volume.
        public static let size = 32

        /// Seconds since 1970.
        public var time: Int
        public var offset: Int

        public init(time: Int, offset: Int) {
            self.time = time
            self.offset = offset
        }

        public var line: [UInt8] { Array("\(String(time, width: 10)) \(String(offset, width: 20))\n".utf8) }

        /// nil for what a loss of power made of it.
        public init?(line: [UInt8]) {
            let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard line.count == Self.size, fields.count == 2, fields[1].last == UInt8(ascii: "\n"),
                let time = Int(fields[0].text), let offset = Int(fields[1].dropLast().text)
            else { return nil }
            self.init(time: time, offset: offset)
        }
    }

    /// Where the log went on at `time`, in seconds since 1970: what came since then is at this offset or behind it.
    /// Some bytes from before `time` may be there too: as many as came within one of the writer's intervals. 0 where all came later.
    public static func offset(at time: Int, in run: RunFolder) throws(Problem) -> Int {
        guard try File.isThere(run.logs) else { return 0 }
        let files = try File.list(run.logs).filter { begin(of: $0) != nil }
        var bound = Int.max
        for name in files.reversed() {
            if let entry = try last(notAfter: time, in: "\(run.logs)/\(name)") { return min(entry.offset, bound) }
            bound = begin(of: name) ?? bound
        }
        return 0
    }

    /// The offset that an index begins with; nil where the name is that of something else.
    public static func begin(of name: String) -> Int? {
        name.hasSuffix(".index") ? Int(name.prefix(20)) : nil
    }

    private static func last(notAfter time: Int, in path: String) throws(Problem) -> Entry? {
        do throws(Errno) {
            let file = try Errno.check { open(path, O_RDONLY | O_CLOEXEC) }
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
            // Retention removed it since it was listed.
            if error.code == ENOENT { return nil }
            throw Problem("read \"\(path)\"", errno: error.code)
        }
    }
}
