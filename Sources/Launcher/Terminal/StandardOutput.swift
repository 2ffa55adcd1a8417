internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The standard descriptors of this process.
enum StandardOutput {
    static var target: Console.Target {
        if isatty(STDOUT_FILENO) == 1 {
            // `struct winsize` of ioctl_tty(2), which belongs to whichever module includes it first.
            var size: (rows: UInt16, columns: UInt16, width: UInt16, height: UInt16) = (0, 0, 0, 0)
            let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.rows > 0
            return .terminal(lines: isKnown ? Int(size.rows) : 24)
        }
        return (try? File.status(of: STDOUT_FILENO))?.isFile == true ? .file : .stream
    }

    /// Whether standard error leads to the same place.
    static var sharesErrors: Bool {
        var output = stat()
        var errors = stat()
        guard fstat(STDOUT_FILENO, &output) == 0, fstat(STDERR_FILENO, &errors) == 0 else { return false }
        return output.st_dev == errors.st_dev && output.st_ino == errors.st_ino
    }

    /// Writes all of `bytes`. Ends this process if that fails, without a message if the reader has left, as SIGPIPE
    /// would. The run is not affected.
    /// affected.
    static func write(_ bytes: [UInt8]) {
        do {
            try writeAll(bytes, to: STDOUT_FILENO)
        } catch {
            if error.code == EPIPE { _exit(128 + SIGPIPE) }
            write(errors: "launch: \(Problem("write to standard output", errno: error.code))\n")
            _exit(Exit.output.rawValue)
        }
    }

    /// From now on this process ends as soon as the reader of standard output leaves, even while there is nothing to
    /// write. Does nothing unless standard output is a pipe or a socket.
    static func endWithReader() {
        guard target == .stream else { return }
        Task.detached(priority: .background) {
            var output = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
            while true {
                try await Task.sleep(for: .milliseconds(200))
                if poll(&output, 1, 0) > 0, Int32(output.revents) & (POLLERR | POLLHUP) != 0 { _exit(128 + SIGPIPE) }
            }
        }
    }

    /// Ignores errors: there is no other place to report them.
    static func write(errors text: String) {
        try? writeAll(Array(text.utf8), to: STDERR_FILENO)
    }

    private static func writeAll(_ bytes: [UInt8], to file: Int32) throws(Errno) {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(Errno) {
                let count = try Errno.check { rest.withUnsafeBytes { system(file, $0.baseAddress, $0.count) } }
                rest = rest.dropFirst(count)
            } catch {
                // Another program may have made the terminal non-blocking.
                guard error.code == EAGAIN else { throw error }
                var waiting = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
                poll(&waiting, 1, -1)
            }
        }
    }

    private static func system(_ file: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        #if canImport(Glibc)
        Glibc.write(file, bytes, count)
        #else
        Darwin.write(file, bytes, count)
        #endif
    }
}
