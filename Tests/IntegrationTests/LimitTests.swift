import Glibc
import Shared
import TestSupport
import Testing

/// The agent ends a run that makes no progress or has reached a limit.
@Suite(.serialized, .timeLimit(.minutes(6))) struct LimitTests {
    private func train(_ script: String, limits: String, site: Site, more: String = "retry: {crash: 0}") throws {
        try site.write("project/train.py", script)
        try site.config(
            """
            run: limited
            code: {path: .}
            command: python3 train.py
            checkpoints: {path: out}
            limits: \(limits)
            \(more)
            """)
    }

    /// The training prints all the time but takes no step. The log that is open beside its checkpoints is no save.
    @Test("the agent ends a training that takes no step for limits.stall, and records its stacks")
    func stall() async throws {
        try await Site.with { site in
            try train(
                """
                import os, time
                os.makedirs("out/runs")
                events = open("out/runs/events.out.tfevents.1", "w")
                def stuck():
                    while True:
                        print("alive")
                        time.sleep(0.2)
                for step in range(6):
                    print(f"step {step}")
                    time.sleep(0.6)
                stuck()
                """, limits: "{stall: 2s}", site: site)
            let run = try site.launch("run")
            #expect(try await run.end() == 128 + SIGABRT)
            #expect(run.output == (try site.log("limited")))
            #expect(run.text.contains("STALLED: the processes as seen from outside:\n"))
            #expect(run.text.contains("Fatal Python error: Aborted"))
            #expect(run.text.contains("/train.py\", line 7 in stuck\n"))
            let attempt = try #require(try await site.status("limited").attempts.last)
            #expect(attempt.outcome?.kind == .stalled)
            #expect(attempt.outcome?.exit == .signal(SIGABRT))
            #expect(attempt.outcome?.message?.hasPrefix("no new step for ") == true)
            #expect(attempt.step == 5)
            let stall = try #require(attempt.death?.stall)
            #expect(stall.contains { $0.contains("python3 train.py") })
            #expect(attempt.death?.lines.contains { $0.contains("in stuck") } == true)
        }
    }

    private func trainRanks(_ count: Int, _ rank: String, site: Site) throws {
        try site.write(
            "project/rank.py",
            """
            import signal, sys, time
            def stuck():
                while True: time.sleep(600)
            def steps():
                for step in range(4):
                    if sys.argv[1] == "0": print(f"step {step}")
                    time.sleep(1.1)
            \(rank)
            """)
        // The parent of the ranks kills all ranks as soon as one has ended.
        try train(
            """
            import signal, subprocess, sys, time
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
            ranks = [subprocess.Popen([sys.executable, "rank.py", str(rank)]) for rank in range(\(count))]
            while all(rank.poll() is None for rank in ranks): time.sleep(0.001)
            for rank in ranks: rank.kill()
            sys.exit(1)
            """, limits: "{stall: 2s}", site: site)
    }

    /// The ranks' stacks show the cause. Each rank ends without output once its parent has died.
    @Test("each rank of a stalled training prints its stack before the parent of the ranks kills them")
    func rankStacks() async throws {
        try await Site.with { site in
            try trainRanks(
                4,
                """
                import ctypes
                ctypes.CDLL(None).prctl(1, signal.SIGINT)  # PR_SET_PDEATHSIG, as torch.multiprocessing has it
                try:
                    steps()
                    stuck()
                except KeyboardInterrupt:
                    pass
                """, site: site)
            let run = try site.launch("run")
            _ = try await run.end(within: .seconds(30))
            #expect(run.text.ranges(of: "/rank.py\", line 3 in stuck\n").count == 4, "\(run.text)")
            let attempt = try #require(try await site.status("limited").attempts.last)
            #expect(attempt.outcome?.kind == .stalled)
            let aborts = attempt.death?.teardown?.signals.filter { $0.number == SIGABRT }
            #expect(aborts?.map(\.processes) == [5], "the ranks and their parent")
        }
    }

    @Test("all 12 ranks of a stalled training get SIGABRT although none of them dies of it")
    func slowRanks() async throws {
        try await Site.with { site in
            try trainRanks(
                12,
                """
                signal.signal(signal.SIGABRT, lambda *_: print(f"rank {sys.argv[1]} stands"))
                steps()
                stuck()
                """, site: site)
            let run = try site.launch("run")
            _ = try await run.end(within: .seconds(60))
            for rank in 0..<12 { #expect(run.text.contains("rank \(rank) stands\n"), "\(run.text)") }
            let signals = try #require(try await site.status("limited").attempts.last?.death?.teardown?.signals)
            try #require(signals.map(\.number).starts(with: [SIGABRT, SIGTERM]))
            #expect(signals[1].after - signals[0].after < 5.9, "the next signal is not delayed")
        }
    }

    @Test("the agent records the stacks that py-spy sees before it sends a signal to a stalled training")
    func pySpy() async throws {
        try await Site.with { site in
            try site.write("project/requirements.txt", "py-spy==0.4.1\n")
            try train(
                """
                import time
                def stuck():
                    while True: time.sleep(0.2)
                for step in range(4):
                    print(f"step {step}")
                    time.sleep(1.1)
                stuck()
                """, limits: "{stall: 2s}", site: site,
                more: "retry: {crash: 0}\ndependencies: {requirements: [requirements.txt]}")
            let run = try site.launch("run")
            #expect(try await run.end(within: .seconds(300)) == 128 + SIGABRT, "py-spy is downloaded")
            let stall = try #require(try await site.status("limited").attempts.last?.death?.stall)
            let found = try #require(stall.firstIndex { $0.hasPrefix("py-spy of pid ") })
            let lines = stall[found...]
            #expect(lines.contains { $0.contains("stuck (train.py:3)") }, "\(lines)")
            let told = try #require(run.text.firstRange(of: "stuck (train.py:3)"))
            let dumped = try #require(run.text.firstRange(of: "Fatal Python error: Aborted"))
            #expect(told.lowerBound < dumped.lowerBound)
        }
    }

    @Test("the agent waits 10 s for a py-spy that hangs, masks secrets in its output, and ends the training")
    func hangingPySpy() async throws {
        try await Site.with { site in
            try site.write("bin/py-spy", "#!/bin/sh\necho \"asked $* $HF_TOKEN\"\nexec sleep 600\n", executable: true)
            try train(
                """
                import time
                for step in range(4):
                    print(f"step {step}")
                    time.sleep(1.1)
                while True: time.sleep(0.2)
                """, limits: "{stall: 2s}", site: site,
                more:
                    "retry: {crash: 0}\nsecrets: [HF_TOKEN]\nenv: {PATH: \"${SITE}/bin:/usr/local/bin:/usr/bin:/bin\"}")
            let run = try site.launch("run", environment: ["HF_TOKEN": "hf_0123456789"])
            #expect(try await run.end(within: .seconds(40)) == 128 + SIGABRT)
            let stall = try #require(try await site.status("limited").attempts.last?.death?.stall)
            let asked = try #require(stall.first { $0.hasPrefix("  asked dump --nonblocking --pid ") }, "\(stall)")
            #expect(asked.hasSuffix(" ***"), "\(asked)")
            #expect(!run.text.contains("hf_0123456789"))
            #expect(stall.contains("  (cut off after 10.0 seconds)"), "\(stall)")
        }
    }

    @Test("an evaluation longer than limits.stall does not count as a stall while its progress bar moves")
    func evaluation() async throws {
        try await Site.with { site in
            try train(
                """
                import sys, time
                for step in range(4):
                    print(f"step {step}")
                    time.sleep(1.1)
                for batch in range(20):
                    sys.stdout.write(f"\\rEvaluating: {batch * 5}%|##  | {batch}/20 [00:01<00:02]")
                    sys.stdout.flush()
                    time.sleep(0.3)
                """, limits: "{stall: 2s}", site: site)
            try await site.launch("run").check()
        }
    }

    @Test("slow steps do not count as a stall if each takes less than limits.stall")
    func slowSteps() async throws {
        try await Site.with { site in
            try train(
                """
                import time
                for step in range(5):
                    print(f"step {step}")
                    time.sleep(1.5)
                """, limits: "{stall: 4s}", site: site)
            try await site.launch("run").check()
        }
    }

    /// The training prints nothing during the save. Its checkpoint file is open for writing.
    @Test("a save does not count as a stall although it takes longer than limits.stall")
    func longSave() async throws {
        try await Site.with { site in
            try train(
                """
                import os, time
                for step in range(4):
                    print(f"step {step}")
                    time.sleep(1.1)
                os.makedirs("out/checkpoint-4")
                with open("out/checkpoint-4/weights", "wb") as file:
                    file.write(b"x")
                    file.flush()
                    time.sleep(6)
                print("saved")
                """, limits: "{stall: 2s}", site: site)
            let run = try site.launch("run")
            try await run.check()
            #expect(run.text.hasSuffix("saved\nEXIT_CODE=0\n"))
        }
    }

    @Test("limits.duration ends a run once all its attempts together have taken that long")
    func duration() async throws {
        try await Site.with { site in
            try train(
                """
                import os, sys, time
                print("step 1")
                first = not os.path.exists("was-here")
                open("was-here", "w").close()
                time.sleep(3 if first else 600)
                sys.exit(1)
                """, limits: "{duration: 6s}", site: site, more: "retry: {crash: 2, backoff: 1s}")
            let run = try site.launch("run")
            #expect(try await run.end(within: .seconds(30)) == 128 + SIGTERM)
            let status = try await site.status("limited")
            #expect(status.state == "over-limit")
            #expect(status.attempts.map(\.outcome?.kind) == [.failed, .overLimit])
            #expect(status.attempts[1].outcome?.message == "all attempts together took limits.duration, 6 s")
            let seconds = try status.attempts.map { try #require($0.seconds) }
            #expect(seconds[0] >= 3)
            #expect(seconds.reduce(0, +) >= 6 && seconds.reduce(0, +) < 9, "\(seconds)")
            #expect(run.output == (try site.log("limited")))
        }
    }

    @Test("limits.setup ends a run as setup-failed if its installation hangs")
    func setup() async throws {
        try await Site.with { site in
            try site.write("python", "#!/bin/sh\nsleep 600\n", executable: true)
            try site.write("project/requirements.txt", "anything\n")
            try train(
                "print('trains')", limits: "{setup: 2s}", site: site,
                more: "dependencies: {requirements: [requirements.txt], python: \(site.root)/python}")
            let run = try site.launch("run")
            #expect(try await run.end(within: .seconds(20)) == 73)
            let attempts = try await site.status("limited").attempts
            #expect(attempts.count == 1)
            #expect(attempts[0].outcome?.kind == .setupFailed)
            #expect(attempts[0].outcome?.message == "the preparation took longer than limits.setup, 2 s")
            #expect(run.text.contains("SETUP-FAILED: the preparation took longer than limits.setup, 2 s\n"))
            #expect(!run.text.contains("trains\n"))
        }
    }
}
