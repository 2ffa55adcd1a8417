import Glibc
import Shared
import TestSupport
import Testing

/// A cgroup of version 1 that a test has to itself.
struct ControlGroup {
    let path: String

    private static let root = "/sys/fs/cgroup"

    static func isThere(_ controller: String) -> Bool {
        let path = "\(root)/\(controller)/launch-test-probe-\(getpid())"
        defer { rmdir(path) }
        return geteuid() == 0 && mkdir(path, 0o755) == 0
    }
    static let reason: Comment = "a cgroup needs root and the v1 controllers at /sys/fs/cgroup"

    /// The words that start a program in it, to which its own follow.
    var enter: [String] { ["sh", "-c", "echo $$ > '\(path)/cgroup.procs' && exec \"$@\"", "sh"] }

    /// Whether a group of the controller `pids` has refused a new process or thread.
    var isFull: Bool { (try? File.read("\(path)/pids.events").text.hasPrefix("max 0")) == false }

    /// `limits` are the group's files and what is written into them.
    static func with(
        _ controller: String, _ limits: [String: Int], _ body: (ControlGroup) async throws -> Void
    ) async throws {
        let group = ControlGroup(path: "\(root)/\(controller)/launch-test-\([UInt8].random(count: 6).hexadecimal)")
        try Errno.check { mkdir(group.path, 0o755) }
        do {
            for (file, limit) in limits { try File.write(Array("\(limit)".utf8), over: "\(group.path)/\(file)") }
            try await body(group)
        } catch {
            try? await group.remove()
            throw error
        }
        try await group.remove()
    }

    /// It goes once its last process has.
    private func remove() async throws {
        try await eventuallyTrue("an empty cgroup", within: .seconds(10)) { rmdir(path) == 0 || errno == ENOENT }
    }
}
