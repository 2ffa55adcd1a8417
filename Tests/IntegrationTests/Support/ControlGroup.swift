import Glibc
import Shared
import TestSupport
import Testing

/// A version 1 cgroup for one test.
struct ControlGroup {
    let path: String

    private static let root = "/sys/fs/cgroup"

    static func isAvailable(_ controller: String) -> Bool {
        let path = "\(root)/\(controller)/launch-test-probe-\(getpid())"
        defer { rmdir(path) }
        return geteuid() == 0 && mkdir(path, 0o755) == 0
    }
    static let reason: Comment = "a cgroup needs root and the v1 controllers at /sys/fs/cgroup"

    /// The words before a program that start it in the group.
    var enter: [String] { ["sh", "-c", "echo $$ > '\(path)/cgroup.procs' && exec \"$@\"", "sh"] }

    /// Whether a group of the controller `pids` has refused a new process or thread.
    var isFull: Bool { (try? File.read("\(path)/pids.events").text.hasPrefix("max 0")) == false }

    /// Runs `body` with a new group. `limits` has the numbers to write into the group's files.
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

    /// The kernel removes a group only once its last process is gone.
    private func remove() async throws {
        try await eventuallyTrue("an empty cgroup", within: .seconds(10)) { rmdir(path) == 0 || errno == ENOENT }
    }
}
