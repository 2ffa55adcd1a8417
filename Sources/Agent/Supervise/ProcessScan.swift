internal import Glibc
internal import Shared

/// Reads from /proc what each process is doing, without disturbing it.
enum ProcessScan {
    /// Lines of a process's kernel stack. The kernel may hide the stack from this user.
    private static let maxStackLines = 12

    /// Returns a few lines for each of the first 8 processes.
    static func lines(at processes: [ProcessStat]) -> [String] {
        processes.prefix(8).flatMap { process in
            let folder = "/proc/\(process.pid)"
            var lines = ["pid \(process.pid) state \(process.state): \(command(of: process))"]
            if let channel = try? File.read("\(folder)/wchan").text, !channel.isEmpty, channel != "0" {
                lines.append("  waits in \(channel)")
            }
            if let call = try? File.read("\(folder)/syscall").text.trimmed { lines.append("  system call \(call)") }
            if let stack = try? File.read("\(folder)/stack").text {
                lines += stack.split(separator: "\n").prefix(maxStackLines).map { "  \($0)" }
            }
            return lines
        }
    }

    /// Returns the command line, or its beginning.
    static func command(of process: ProcessStat) -> String {
        let words = ((try? File.read("/proc/\(process.pid)/cmdline")) ?? []).split(separator: 0).map(\.text)
        return String(words.joined(separator: " ").prefix(200))
    }
}
