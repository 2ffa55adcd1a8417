#if os(Linux)
internal import Glibc
public import Shared

/// Runs a program to its end.
///
/// `Process` of Foundation is not used: its `waitUntilExit` may wait for ever on a thread of Swift's tasks.
public enum Command {
    /// Returns the program's exit code, or 128 + n if signal n ended it, and the bytes of both of its outputs.
    public static func run(
        _ arguments: [String], in folder: String = "/", environment: [String: String] = ProcessEnvironment.all
    ) throws -> (code: Int32, output: [UInt8]) {
        var ends: [Int32] = [0, 0]
        try Errno.check { pipe(&ends) }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let pid: Int32
        do {
            defer { close(ends[1]) }
            pid = try CleanSpawn(
                program: "/usr/bin/env", arguments: ["env"] + arguments, environment: environment, folder: folder,
                output: ends[1]
            ).start()
        }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = try Errno.check { read(ends[0], &buffer, buffer.count) }
            if count == 0 { break }
            output += buffer[..<count]
        }
        var status: Int32 = 0
        try Errno.check { waitpid(pid, &status, 0) }
        return (ExitStatus(wait: status).shellCode, output)
    }
}
#endif
