import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// The surroundings in which a child starts, seen from outside.
@Suite struct JobTests {
    /// The numbers of a line of /proc/PID/status, as a mask of signals.
    private func job(_ arguments: [String], _ environment: [String: String] = [:], output: Int32 = -1) -> Job {
        Job(arguments: arguments, environment: environment, folder: "/usr", output: output)
    }

    /// Starts a sleeping child from a thread that blocks and ignores signals, as the threads of Swift's tasks may.
    private func sleeper<Result>(_ check: (pid_t) throws -> Result) throws -> Result {
        let null = try Errno.check { open("/dev/null", O_WRONLY) }
        defer { close(null) }
        signal(SIGPIPE, SIG_IGN)
        var old = sigset_t()
        var blocked = sigset_t([SIGTERM, SIGINT, SIGUSR1, SIGCHLD])
        pthread_sigmask(SIG_BLOCK, &blocked, &old)
        defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
        let pid = try job(["/bin/sleep", "600"], output: null).spawn()
        defer {
            kill(pid, SIGKILL)
            waitpid(pid, nil, 0)
        }
        return try check(pid)
    }

    @Test("a child starts with no signal blocked or ignored")
    func signals() throws {
        try sleeper { pid throws in
            let signals = try #require(ProcessSignals(of: pid))
            #expect(signals.blocked == 0)
            // Signals 32 and 33 are glibc's own for its threads. Its posix_spawn leaves them ignored.
            let ignored = signals.ignored & ~(1 << 31 | 1 << 32)
            #expect(ignored == 0, "\(String(ignored, radix: 16))")
            #expect(signals.caught == 0)
        }
    }

    @Test("a child has a session and a process group of its own")
    func session() throws {
        try sleeper { pid throws in
            let stat = try #require(ProcessStat(pid: pid))
            #expect(stat.session == pid && stat.group == pid && stat.parent == getpid())
        }
    }

    @Test("a child inherits only the three standard descriptors")
    func descriptors() throws {
        // It is not closed on exec: a child that inherits descriptors would have it.
        let leak = try Errno.check { open("/dev/zero", O_RDONLY) }
        defer { close(leak) }
        try sleeper { pid throws in
            let links = try File.list("/proc/\(pid)/fd").map { "\($0) \(try File.readLink("/proc/\(pid)/fd/\($0)"))" }
            #expect(links == ["0 /dev/null", "1 /dev/null", "2 /dev/null"])
        }
    }

    @Test("a child has an out-of-memory score of 500, so that the kernel kills it before the agent")
    func memoryScore() throws {
        try sleeper { pid throws in
            #expect(try File.read("/proc/\(pid)/oom_score_adj").text.trimmed == "500")
        }
    }

    @Test("a child gets its folder, environment and arguments exactly")
    func folderAndArguments() throws {
        let pipe = try Pipe()
        defer { close(pipe.readEnd) }
        let script = #"pwd; echo "$A|$B"; for word in "$0" "$@"; do echo "<$word>"; done; echo error >&2"#
        let arguments = ["sh", "-c", script, "zero", "a b", "", "é\n"]
        let pid = try job(arguments, ["A": "1", "B": "x=y z"], output: pipe.writeEnd).spawn()
        close(pipe.writeEnd)
        waitpid(pid, nil, 0)
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = try buffer.withUnsafeMutableBytes { try File.read(pipe.readEnd, into: $0) }
        #expect(buffer[..<count].text == "/usr\n1|x=y z\n<zero>\n<a b>\n<>\n<é\n>\nerror\n")
    }

    @Test("a program that cannot be started, or a missing folder, is an error")
    func cannotStart() throws {
        let null = try Errno.check { open("/dev/null", O_WRONLY) }
        defer { close(null) }
        #expect(throws: Problem.self) { try job(["/none"], output: null).spawn() }
        #expect(throws: Problem.self) { try job(["none"], output: null).spawn() }
        #expect(throws: Problem.self) { try job([""], output: null).spawn() }
        #expect(throws: Problem.self) { try job([], output: null).spawn() }
        #expect(throws: Problem.self) { try job(["/etc/passwd"], output: null).spawn() }
        var lost = job(["/bin/true"], output: null)
        lost.folder = "/none"
        #expect(throws: Problem.self) { try lost.spawn() }
    }

    @Test("a program is found in the first folder of PATH that has it, and one with a slash is taken as it is")
    func searchPath() throws {
        let folder = try TemporaryFolder()
        for name in ["a", "b"] { try File.makeFolders("\(folder.path)/\(name)") }
        let (first, second) = ("\(folder.path)/a/tool", "\(folder.path)/b/tool")
        try File.replace(second, with: [], mode: 0o755)
        let path = "\(folder.path)/none:\(folder.path)/a:\(folder.path)/b"
        #expect(try Job.find("tool", path: path) == second)
        try File.replace(first, with: [], mode: 0o755)
        #expect(try Job.find("tool", path: path) == first)
        #expect(try Job.find("./tool", path: path) == "./tool")
        #expect(try Job.find("sh", path: nil).hasSuffix("/sh"))
        let problem = #expect(throws: Problem.self) { try Job.find("nobody-has-this", path: path) }
        #expect(problem?.sentence == #"there is no "nobody-has-this" here"#)
    }
}
