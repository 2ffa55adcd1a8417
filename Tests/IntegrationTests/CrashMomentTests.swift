import Glibc
import Shared
import TestSupport
import Testing

@Suite("processes that die while a run starts", .serialized, .timeLimit(.minutes(3))) struct CrashMomentTests {
    private static let moments: [Duration] = (0..<12).map { _ in .microseconds(Int.random(in: 0...80_000)) }

    @Test("the next launch run finishes the run if the pod is killed while it starts", arguments: moments)
    func killPod(moment: Duration) async throws {
        try await Site.with { site in
            try site.write("project/words.txt", "hello\n")
            try site.config(
                "run: crash\ncode: {path: .}\ncommand: cat words.txt; until [ -e \"$SITE/go\" ]; do sleep 0.02; done\n")
            let first = try site.launch("run")
            let pod = try await eventually("a pod", every: .milliseconds(1)) {
                site.processes.first { Leftovers.commandLine($0.pid) == Programs.agent }?.pid
            }
            try await Task.sleep(for: moment)
            let tree = [pod] + ProcessStat.descendants(of: pod).map(\.pid)
            for process in tree { kill(process, SIGSTOP) }
            for process in tree { kill(process, SIGKILL) }
            // 69: the pod was gone before its agent answered. 70: it was gone later.
            #expect([69, 70].contains(try await first.end()), "\(first.errors)")
            try site.open("go")
            let second = try site.launch("run")
            try await second.check()
            #expect(second.text.hasSuffix("STARTING FRESH\nhello\nEXIT_CODE=0\n"))
            let log = try site.log("crash")
            #expect(Array(log.suffix(second.output.count)) == second.output)
            #expect(try await site.status("crash").state == "finished")
        }
    }

    /// The killed `launch` may have started a pod that it had not recorded yet.
    @Test("two trainings never run at once if launch is killed while it starts a pod", arguments: moments)
    func killLaunch(moment: Duration) async throws {
        try await Site.with { site in
            try site.config(
                """
                run: orphan
                command: |
                  mkdir "$SITE/training" || exit 9
                  sleep 0.3
                  rmdir "$SITE/training"
                """)
            let first = try site.launch("run")
            try await Task.sleep(for: moment)
            first.send(SIGKILL)
            #expect([0, 137].contains(try await first.end()))
            let second = try site.launch("run")
            try await second.check()
            #expect(!site.exists("training"))
            #expect(try await site.status("orphan").state == "finished")
        }
    }
}
