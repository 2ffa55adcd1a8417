internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A file that holds a log from its first byte on, so that its length is the offset of the next one.
///
/// Bytes are written at their offset, so another launcher that writes the same log to the file does no harm.
final class LogFile: LogOutput {
    let path: String
    private let file: Int32

    /// Bytes at the file's end that are compared with the log before the file is continued.
    private static let compared = 64 << 10

    /// Opens the file at `path`, or creates it.
    init(_ path: String) throws(Failure) {
        self.path = path
        do {
            file = try Errno.check { open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644) }
        } catch {
            throw Failure(.output, Problem("open \"\(path)\"", errno: error.code))
        }
        guard (try? File.status(of: file))?.isFile == true else {
            throw Failure(.output, "\"\(path)\" is not a file", hint: "without -o the log goes to standard output")
        }
    }

    deinit { close(file) }

    /// Offset of the first byte that `next` compares.
    var comparedFrom: Int { get throws { max(0, try length - Self.compared) } }

    private var length: Int {
        get throws { try perform("examine") { () throws(Errno) in try File.status(of: file).size } }
    }

    /// Returns the offset of the next byte. Throws if the file is not a beginning of `log`.
    func next(of log: LogStream) throws -> Int {
        let length = try length
        let end = try log.end
        guard length <= end else {
            throw refusal("\"\(path)\" has \(length) bytes, the log \(end)", kept: end)
        }
        var offset = max(log.begin, length - Self.compared)
        while offset < length {
            let known = try log.read(at: offset, limit: length - offset)
            let ours = try read(at: offset, count: known.count)
            if let difference = zip(known, ours).enumerated().first(where: { $1.0 != $1.1 })?.offset {
                throw refusal(
                    "\"\(path)\" is not a beginning of this log: byte \(offset + difference) differs",
                    kept: offset + difference)
            }
            guard known.count == ours.count, !known.isEmpty else {
                throw Failure(.output, "\"\(path)\" changed while it was read")
            }
            offset += known.count
        }
        return length
    }

    func write(_ bytes: [UInt8], at offset: Int) throws {
        var written = 0
        while written < bytes.count {
            written += try perform("write to") { () throws(Errno) in
                try Errno.check {
                    bytes.withUnsafeBytes {
                        pwrite(
                            file, $0.baseAddress?.advanced(by: written), bytes.count - written, off_t(offset + written))
                    }
                }
            }
        }
    }

    func lose(_ lost: Range<Int>) throws -> String {
        let copy = try keep(lost)
        try perform("shorten") { () throws(Errno) in
            _ = try Errno.check { ftruncate(file, off_t(lost.lowerBound)) }
        }
        return "the last \(lost.count) bytes of \"\(path)\" were lost with a pod and are no part of the log: "
            + "they are in \"\(copy)\" now"
    }

    /// Copies bytes of the file to a new one, `FILE.lost-N`, whose path it returns. An agent may be wrong about what is
    /// lost, and the file is the user's.
    private func keep(_ lost: Range<Int>) throws -> String {
        for number in 1... {
            let path = "\(path).lost-\(number)"
            let copy = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            if copy < 0 && errno == EEXIST { continue }
            try perform("create \"\(path)\" beside") { () throws(Errno) in try Errno.check { copy } }
            defer { close(copy) }
            var offset = lost.lowerBound
            while offset < lost.upperBound {
                let bytes = try read(at: offset, count: min(1 << 20, lost.upperBound - offset))
                if bytes.isEmpty { break }
                try perform("copy the end of") { () throws(Errno) in try File.write(bytes[...], to: copy) }
                offset += bytes.count
            }
            return path
        }
        return path
    }

    func skip(_ missing: Range<Int>) throws -> String {
        throw Failure(
            .output,
            "bytes \(missing.lowerBound) to \(missing.upperBound - 1) of the log are not kept any more, "
                + "so \"\(path)\" cannot be continued",
            hint: "without -o the log goes to standard output, from the first kept byte on")
    }

    private func refusal(_ sentence: String, kept: Int) -> Failure {
        Failure(
            .output, sentence,
            hint: "give another file, or keep the common beginning with: truncate -s \(kept) \(path)")
    }

    private func read(at offset: Int, count: Int) throws -> [UInt8] {
        try perform("read") { () throws(Errno) in
            var buffer = [UInt8](repeating: 0, count: count)
            let read = try Errno.check { pread(file, &buffer, count, off_t(offset)) }
            return Array(buffer[..<read])
        }
    }

    @discardableResult
    private func perform<Result>(_ verb: String, _ body: () throws(Errno) -> Result) throws(Failure) -> Result {
        do { return try body() } catch { throw Failure(.output, Problem("\(verb) \"\(path)\"", errno: error.code)) }
    }
}
