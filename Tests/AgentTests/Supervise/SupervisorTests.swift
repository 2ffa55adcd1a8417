import CLinux
import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// The children of a supervisor.
///
/// Each test is a process of its own, because a supervisor ends every process below its own.
@Suite struct SupervisorTests {
    /// A supervisor over an attempt of its own, whose children are reaped all along.
    private struct Bench {
        let run: TestRun
        let attempt: OpenAttempt
        let supervisor: Supervisor

        init() throws {
            // As in `serve`: an orphan of a child stays below this process.
            linux_become_subreaper()
            run = try TestRun()
            attempt = try OpenAttempt.open(
                try run.attempt(1), spec: run.spec(), run: run.folders, volume: VolumeWriter())
            let children = Children()
            supervisor = Supervisor(
                children: children, log: attempt.log, saves: attempt.saves, mask: SecretMask(["a secret value"]))
            try DedicatedThread.start {
                while true {
                    children.reap()
                    usleep(2000)
                }
            }
        }

        func run(_ script: String) async throws -> Shared.ExitStatus {
            try await supervisor.run(["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"], folder: "/usr")
        }

        func train(_ script: String) async throws -> Shared.ExitStatus {
            try await supervisor.train(
                ["sh", "-c", script], environment: ["PATH": "/usr/bin:/bin"], folder: "/usr", on: false)
        }

        /// Returns the log once the children's output is in it.
        func log() async throws -> String {
            #expect(await supervisor.drain(gracefully: true) != nil)
            await attempt.log.sync()
            return try run.log().text
        }
    }

    @Test("a child's output is masked and goes to the log, and its exit code comes back")
    func output() async {
        await #expect(processExitsWith: .success) {
            let bench = try Bench()
            #expect(try await bench.run("pwd; echo a secret value >&2; exit 3") == .code(3))
            #expect(try await bench.log().hasSuffix("/usr\n***\n"))
            #expect(bench.supervisor.tail.lines(1).isEmpty)
        }
    }

    @Test("the training's output goes to the log and to the tail")
    func training() async {
        await #expect(processExitsWith: .success) {
            let bench = try Bench()
            #expect(try await bench.train("echo step 7; kill -9 $$") == .signal(9))
            #expect(try await bench.log().hasSuffix("step 7\n"))
            #expect(bench.supervisor.tail.lines(1) == ["step 7"])
        }
    }

    @Test("captured output comes back and does not go to the log")
    func capture() async {
        await #expect(processExitsWith: .success) {
            let bench = try Bench()
            let (status, output) = try await bench.supervisor.capture(
                ["sh", "-c", "echo answer"], environment: ["PATH": "/usr/bin:/bin"], folder: "/")
            #expect(status == .code(0) && output.text == "answer\n")
            #expect(try await !bench.log().contains("answer"))
        }
    }

    @Test("a teardown ends the training, and no child of the agent starts after it")
    func teardown() async {
        await #expect(processExitsWith: .success) {
            let bench = try Bench()
            async let status = bench.train("trap 'echo saved; exit 7' TERM; echo up; while :; do sleep 0.01; done")
            try await eventuallyTrue("the training") { bench.supervisor.tail.lines(1) == ["up"] }
            let noted = Monitor<[Int32]>([])
            var begun = 0
            bench.supervisor.tearDown(.graceful(), began: { begun += 1 }) { step, _ in
                noted.update { $0.append(step.signal) }
            }
            // Kills later, so that it is ignored.
            bench.supervisor.tearDown(.graceful(grace: .seconds(600)), began: { begun += 1 }, note: { _, _ in })
            #expect(try await status == .code(7))
            // The signal comes before its note, so the training may have ended first.
            try await eventuallyTrue("the note of the signal") { noted.read { !$0.isEmpty } }
            #expect(begun == 1 && noted.read { $0 } == [SIGTERM])
            #expect(bench.supervisor.isCalledOff && bench.supervisor.leader == nil)
            await #expect(throws: Problem.self) { try await bench.run("echo late") }
            #expect(try await bench.log().hasSuffix("up\nsaved\n"))
        }
    }

    @Test("draining the output after a training kills the processes that it left")
    func drain() async {
        await #expect(processExitsWith: .success) {
            let bench = try Bench()
            #expect(try await bench.train("sleep 600 & echo done") == .code(0))
            #expect(!ProcessTree.running.isEmpty)
            #expect(await bench.supervisor.drain(gracefully: false) != nil)
            #expect(ProcessTree.running.isEmpty)
        }
    }

    @Test("the description of the processes names each of them, with secrets masked")
    func describe() async {
        await #expect(processExitsWith: .success) {
            let bench = try Bench()
            async let status = bench.train("echo up; sleep 600; : a secret value")
            try await eventuallyTrue("the training") { bench.supervisor.tail.lines(1) == ["up"] }
            let leader = try #require(bench.supervisor.leader)
            let lines = await bench.supervisor.describe(environment: [:])
            #expect(lines.contains { $0.hasPrefix("pid \(leader) state ") && $0.contains("sleep 600") })
            #expect(!lines.contains { $0.contains("a secret value") })
            await bench.supervisor.killAll()
            #expect(try await status == .signal(9))
        }
    }
}
