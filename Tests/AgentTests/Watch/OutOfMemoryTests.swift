import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct OutOfMemoryTests {
    private static let traceback = "Traceback (most recent call last):"
    private static let place = #"  File "train.py", line 3, in <module>"#

    @Test(
        "a last traceback that ends in an out-of-memory error is recognised",
        arguments: [
            [traceback, place, "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."],
            [traceback, place, "RuntimeError: CUDA error: out of memory", "and a hint", ""],
            [traceback, place, "MemoryError"], [traceback, place, "jax.errors.OutOfMemoryError: x"],
            [traceback, "ValueError: x", "", "During handling of the above exception:", traceback, "MemoryError"],
            ["[rank1]: \(traceback)", "[rank1]: torch.OutOfMemoryError: CUDA out of memory."],
        ])
    func recognised(_ lines: [String]) {
        #expect(OutOfMemory.isTold(in: lines))
    }

    @Test(
        "output without an out-of-memory error in its last traceback is not taken for one",
        arguments: [
            [], ["CUDA out of memory"], ["CUDA out of memory, trying a smaller batch", traceback, "ValueError: x"],
            [traceback, "MemoryError", traceback, "ValueError: x"], [traceback], ["step 5"],
        ])
    func notRecognised(_ lines: [String]) {
        #expect(!OutOfMemory.isTold(in: lines))
    }
}

@Suite struct MemoryCounterTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func write(_ path: String, _ text: String) throws {
        let path = "\(folder.path)/\(path)"
        try File.makeFolders(path.parentFolder)
        try File.write(Array(text.utf8), over: path)
    }

    private func counter(_ membership: String) throws -> MemoryCounter? {
        try write("cgroup", membership)
        return MemoryCounter(root: "\(folder.path)/fs", membership: "\(folder.path)/cgroup")
    }

    private static let events = "low 0\nhigh 0\nmax 7\noom 3\noom_kill 2\noom_group_kill 1\n"
    private static let control = "oom_kill_disable 0\nunder_oom 0\noom_kill 4\n"

    @Test("out-of-memory kills are counted in a cgroup of version 2, and unknown once its files are gone")
    func versionTwo() throws {
        try write("fs/pod/memory.events", Self.events)
        let counter = try #require(try counter("0::/pod\n"))
        #expect(counter.kills == 2)
        try write("fs/pod/memory.events", Self.events.replacing("oom_kill 2", with: "oom_kill 3"))
        #expect(counter.kills == 3)
        try File.removeTree("\(folder.path)/fs")
        #expect(counter.kills == nil)
    }

    /// A container sees its own group as the root, whatever its path is outside.
    @Test("out-of-memory kills are counted in the root cgroup of version 2 inside a container")
    func versionTwoInContainer() throws {
        try write("fs/memory.events", Self.events)
        #expect(try counter("0::/\n")?.kills == 2)
        #expect(try counter("0::/../../docker/abc\n")?.kills == 2)
    }

    @Test("out-of-memory kills are counted in a cgroup of version 1, at its path or else at the root")
    func versionOne() throws {
        try write("fs/memory/docker/abc/memory.oom_control", Self.control)
        #expect(try counter("5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n")?.kills == 4)
        #expect(try counter("4:hugetlb,memory:/docker/abc\n")?.kills == 4)
        #expect(try counter("4:cpu:/docker/abc\n") == nil)
        try write("fs/memory/memory.oom_control", Self.control.replacing("oom_kill 4", with: "oom_kill 9"))
        #expect(try counter("4:memory:/elsewhere\n")?.kills == 9)
    }

    @Test("out-of-memory kills are counted in version 1 when both versions of cgroups are mounted")
    func bothVersions() throws {
        try write("fs/memory/a/memory.oom_control", Self.control)
        #expect(try counter("4:memory:/a\n1:name=systemd:/a\n0::/a\n")?.kills == 4)
    }

    @Test("a process without a readable count of out-of-memory kills has no counter")
    func noCounter() throws {
        #expect(try counter("0::/\n") == nil)
        #expect(try counter("") == nil)
        #expect(try counter("nonsense\n:\n::\n") == nil)
        try write("fs/memory.events", "low 0\noom_kill_disable 0\n")
        #expect(try counter("0::/\n") == nil)
        #expect(MemoryCounter(root: "/nowhere", membership: "/nowhere/cgroup") == nil)
    }
}
