import Shared
import TestSupport
import Testing

@testable import Agent

/// Quotas in folders that look like those of the kernel.
@Suite struct CPUQuotaTests {
    private func processors(_ membership: String, _ files: [String: String]) throws -> Int? {
        let folder = try TemporaryFolder("cgroup")
        let all = files.merging(["membership": membership]) { $1 }
        for (path, text) in all {
            try File.makeFolders("\(folder.path)/\(path)".parentFolder)
            try File.write(Array(text.utf8), over: "\(folder.path)/\(path)")
        }
        return CPUQuota.processors(root: folder.path, membership: "\(folder.path)/membership", of: 64)
    }

    private struct Case: Sendable {
        var membership: String
        var files: [String: String]
        var expected: Int?
    }

    private static let cases = [
        Case(membership: "0::/\n", files: ["cpu.max": "750000 100000\n"], expected: 7),
        Case(membership: "0::/\n", files: ["cpu.max": "max 100000\n"]),
        Case(membership: "0::/\n", files: ["cpu.max": "50000 100000\n"], expected: 1),
        Case(membership: "0::/\n", files: ["cpu.max": "6400000 100000\n"]),
        Case(
            membership: "0::/a/b\n", files: ["a/cpu.max": "400000 100000\n", "a/b/cpu.max": "max 100000\n"],
            expected: 4),
        Case(membership: "0::/host/x\n", files: ["cpu.max": "200000 100000\n"], expected: 2),
        Case(membership: "0::/\n", files: [:]), Case(membership: "", files: [:]),
        Case(
            membership: "4:cpu,cpuacct:/d\n0::/\n",
            files: ["cpu,cpuacct/d/cpu.cfs_quota_us": "300000\n", "cpu,cpuacct/d/cpu.cfs_period_us": "100000\n"],
            expected: 3),
        Case(
            membership: "4:cpu:/\n", files: ["cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"]),
        Case(
            membership: "4:memory:/\n", files: ["cpu/cpu.cfs_quota_us": "1\n", "cpu/cpu.cfs_period_us": "1\n"]),
    ]

    @Test("the least quota of a cgroup and of those above it counts", arguments: cases.indices)
    func quotas(_ index: Int) throws {
        let one = Self.cases[index]
        #expect(try processors(one.membership, one.files) == one.expected)
    }
}
