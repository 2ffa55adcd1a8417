internal import Glibc
internal import Shared

/// What can be seen of the training's processes without touching them, line by line.
enum ProcessScan {
    /// Lines of one process's stack; the kernel's part may be withheld from this user.
    private static let depth = 12

    static func lines(at processes: [ProcessStat]) -> [String] {
        processes.prefix(8).flatMap { process in
            let folder = "/proc/\(process.pid)"
            let command = ((try? File.read("\(folder)/cmdline")) ?? []).split(separator: 0).map(\.text)
            var lines = ["pid \(process.pid) state \(process.state): \(command.joined(separator: " ").prefix(200))"]
            if let channel = try? File.read("\(folder)/wchan").text, !channel.isEmpty, channel != "0" {
                lines.append("  waits in \(channel)")
            }
            if let call = try? File.read("\(folder)/syscall").text.trimmed { lines.append("  system call \(call)") }
            if let stack = try? File.read("\(folder)/stack").text {
                lines += stack.split(separator: "\n").prefix(depth).map { "  \($0)" }
            }
            return lines
        }
    }
}
