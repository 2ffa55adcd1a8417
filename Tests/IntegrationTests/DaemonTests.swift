import Glibc
import Shared
import TestSupport
import Testing

@Suite("daemons that outlive their training", .serialized, .timeLimit(.minutes(2))) struct DaemonTests {
    /// The daemon has left its session and its parents and keeps the output open. The agent kills it after 10 s.
    @Test("the run ends although a daemon of the training ignores signals, and the log keeps the daemon's output")
    func daemon() async throws {
        try await Site.with { site in
            try site.write(
                "project/train.py",
                """
                import os, signal, time
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
                        open(os.environ["SITE"] + "/daemon", "w").write(str(os.getpid()))
                        while True:
                            print("daemon ticks")
                            time.sleep(0.05)
                    os._exit(0)
                os.wait()
                while not os.path.exists(os.environ["SITE"] + "/daemon"): time.sleep(0.01)
                print("training ends")
                """)
            try site.config("run: haunted\ncode: {path: .}\ncommand: python3 train.py\n")
            let run = try site.launch("run")
            try await run.prints("training ends\n")
            let start = ContinuousClock.now
            let pod = try await site.pod(of: "haunted")
            let daemon = try #require(Int32(try File.read("\(site.root)/daemon").text))
            #expect(pod.contains(daemon))
            try await site.reaches("finishing", "haunted")
            // The training and the process that forked the daemon are reaped: init, serve and the daemon are left.
            #expect(try await site.pod(of: "haunted").count == 3)
            #expect(ProcessStat.descendants(of: pod[0]).filter(\.isZombie).isEmpty)
            try await run.check()
            let lasted = start.duration(to: .now)
            print("timing: a daemon keeps the run for \(lasted)")
            #expect(lasted < .seconds(30), "12 s, and what the disk takes")
            try await site.isGone(pod + [daemon])
            #expect(site.processes.isEmpty)
            let log = try site.log("haunted")
            #expect(run.output == log)
            let after = try #require(log.text.split(separator: "training ends\n").last)
            #expect(after.ranges(of: "daemon ticks\n").count > 20)
            #expect(after.hasSuffix("EXIT_CODE=0\n"))
        }
    }
}
