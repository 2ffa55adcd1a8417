#if os(Linux)
import Glibc
import Shared
import TestSupport
import Testing

/// The identity of a process, and whether that process is alive.
@Suite struct ProcessTests {
    private func sleeper<Result>(
        program: String = "/bin/sleep", _ body: (Int32) throws -> Result
    ) throws -> Result {
        let pid = try CleanSpawn(
            program: program, arguments: ["sleep", "600"], environment: [:], folder: "/", output: STDERR_FILENO
        ).start()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        return try body(pid)
    }

    @Test("a process is alive while it runs and not after it ended")
    func alive() throws {
        let identity = try sleeper { pid throws in
            let identity = try #require(ProcessIdentity(pid: pid))
            #expect(identity.isAlive == true)
            #expect(ProcessIdentity(pid: pid) == identity)
            return identity
        }
        #expect(identity.isAlive == false)
        #expect(ProcessIdentity(pid: identity.pid) != identity)
    }

    @Test("a zombie is not taken for a live process")
    func zombie() async throws {
        let pid = try CleanSpawn(
            program: "/bin/true", arguments: ["true"], environment: [:], folder: "/", output: STDERR_FILENO
        ).start()
        defer { waitpid(pid, nil, 0) }
        try await eventuallyTrue(within: .seconds(60)) { ProcessStat(pid: pid)?.isZombie == true }
        #expect(ProcessIdentity(pid: pid) == nil)
    }

    @Test("a process that cannot be seen from here counts neither as alive nor as dead")
    func unknown() throws {
        let own = try #require(ProcessIdentity(pid: getpid()))
        #expect(own.isAlive == true)
        var other = own
        other.namespace = "pid:[1]"
        #expect(other.isAlive == nil)
        other.boot = "another"
        // Containers of one image may all have the image's machine id.
        #expect(other.isAlive == nil)
        other.namespace = own.namespace
        let isHost = own.namespace == "pid:[4026531836]" && own.machine != nil
        #expect(other.isAlive == (isHost ? false : nil))
        other = own
        other.started += 1
        #expect(other.isAlive == false)
        #expect(try JSON.decode(ProcessIdentity.self, from: try JSON.encode(own)) == own)
    }

    @Test(
        "a process is read from /proc whatever characters its name has",
        arguments: ["a) S 1 (b", "two\nlines", "))))"])
    func oddNames(_ name: String) throws {
        let folder = try TemporaryFolder("names")
        let program = "\(folder.path)/\(name)"
        try File.replaceLink(program, to: "/bin/sleep")
        try sleeper(program: program) { pid throws in
            let stat = try #require(ProcessStat(pid: pid))
            #expect(stat.pid == pid && stat.parent == getpid() && stat.group == pid && stat.session == pid)
            #expect(stat.started > 0)
            #expect(ProcessStat.descendants(of: getpid()).contains { $0.pid == pid })
        }
    }
}
#endif
