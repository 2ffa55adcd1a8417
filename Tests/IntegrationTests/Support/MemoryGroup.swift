import Glibc
import Shared
import TestSupport
import Testing

/// A memory cgroup of version 1 that a test has to itself.
struct MemoryGroup {
    let path: String

    private static let root = "/sys/fs/cgroup/memory"

    static let isThere: Bool = {
        let path = "\(root)/launch-test-probe-\(getpid())"
        defer { rmdir(path) }
        return geteuid() == 0 && mkdir(path, 0o755) == 0
    }()
    static let reason: Comment = "a memory cgroup needs root and the v1 controller at /sys/fs/cgroup/memory"

    /// `limit` is in bytes.
    static func with(limit: Int, _ body: (MemoryGroup) async throws -> Void) async throws {
        let group = MemoryGroup(path: "\(root)/launch-test-\([UInt8].random(count: 6).hexadecimal)")
        try Errno.check { mkdir(group.path, 0o755) }
        do {
            try File.write(Array("\(limit)".utf8), over: "\(group.path)/memory.limit_in_bytes")
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
