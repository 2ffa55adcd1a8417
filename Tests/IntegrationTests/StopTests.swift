import Glibc
import Shared
import TestSupport
import Testing

/// `launch stop` ends a run, and every follower sees that the user stopped it.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StopTests {
    @Test("launch stop waits until the training has saved, and the run counts as stopped")
    func graceful() async throws {
        try await Site.with { site in
            try site.write(
                "project/train.py",
                """
                import os, signal, sys, time
                def save(*_):
                    print("saving")
                    while not os.path.exists(os.environ["SITE"] + "/saved"): time.sleep(0.02)
                    print("saved")
                    sys.exit(0)
                signal.signal(signal.SIGTERM, save)
                print("started")
                while True: time.sleep(1)
                """)
            try site.config("run: patient\ncode: {path: .}\ncommand: python3 train.py\n")
            let run = try site.launch("run")
            try await run.prints("started\n")
            let stop = try site.launch("stop", "patient")
            try await run.prints("saving\n")
            #expect(try await site.status("patient").state == "training")
            try site.open("saved")
            try await stop.check()
            #expect(stop.errors.contains("== patient: stopped"))
            #expect(try await run.end() == 130)
            #expect(run.text.hasSuffix("saving\nsaved\nEXIT_CODE=0\n"))
            #expect(try await site.status("patient").state == "stopped")

            let again = try site.launch("stop", "patient")
            try await again.check()
            #expect(again.errors == "launch: \"patient\" is not running: stopped\n")
        }
    }

    @Test("launch stop ends a shell that runs one program after another for ever")
    func loop() async throws {
        try await Site.with { site in
            try site.config("run: loop\ncommand: while :; do echo next; sleep 0.1; done\n")
            let run = try site.launch("run")
            try await run.prints("next\n")
            let start = ContinuousClock.now
            try await site.launch("stop", "--grace", "5m").check()
            #expect(try await run.end() == 130)
            #expect(start.duration(to: .now) < .seconds(60), "to kill it takes five minutes")
        }
    }

    @Test("launch stop --now ends a training that ignores SIGTERM and forks")
    func now() async throws {
        try await Site.with { site in
            try site.config(
                "run: deaf\ncommand: trap '' TERM; echo started; while :; do sleep 60 & sleep 0.1; done\n")
            let run = try site.launch("run")
            try await run.prints("started\n")
            let pod = try await site.pod(of: "deaf")
            let start = ContinuousClock.now
            try await site.launch("stop", "--now").check()
            #expect(start.duration(to: .now) < .seconds(15), "without --now it takes a minute")
            #expect(try await run.end() == 130)
            try await site.isGone(pod)
            #expect(site.processes.isEmpty)
            #expect(try await site.status("deaf").state == "stopped")
        }
    }

    /// A training that catches SIGTERM and continues.
    private static let deaf = "run: deaf\ncommand: trap 'echo caught' TERM; echo started; while :; do sleep 0.1; done\n"

    @Test("the log shows each step of launch stop, and the record has its signals with their times")
    func steps() async throws {
        try await Site.with { site in
            try site.config(Self.deaf)
            let run = try site.launch("run")
            try await run.prints("started\n")
            let start = ContinuousClock.now
            try await site.launch("stop", "--grace", "4s").check()
            let took = start.duration(to: .now)
            #expect(took > .seconds(8.9) && took < .seconds(14))
            #expect(try await run.end() == 130)
            #expect(run.output == (try site.log("deaf")))
            let told = run.text.split(separator: "\n").filter { $0.hasPrefix("STOPPING: ") }.map { $0.dropFirst(10) }
            #expect(told.first == "the training has 4 s to save and exit")
            #expect(told.contains("waiting for the training to save, 1 of 4 s"))
            #expect(told.suffix(2) == ["SIGTERM", "SIGKILL"].map { "sent \($0) to all remaining processes" })
            let attempt = try #require(try await site.status("deaf").attempts.last)
            #expect(attempt.outcome?.kind == .stopped && attempt.outcome?.exit == .signal(SIGKILL))
            let teardown = try #require(attempt.death?.teardown)
            let signals = teardown.signals.filter { $0.target == .tree || $0.after < 1 }
            #expect(signals.map(\.number) == [SIGTERM, SIGTERM, SIGKILL])
            #expect(signals.map(\.target) == [.training, .tree, .tree])
            for (signal, due) in zip(signals, [0.0, 4, 9]) {
                #expect(signal.after >= due && signal.after < due + 1.5)
                #expect(signal.processes >= 1)
            }
            let marked = try #require(teardown.recordedAfter)
            #expect(
                teardown.startedAfter >= 0 && teardown.startedAfter < 1 && marked >= teardown.startedAfter
                    && marked < 1.5)
            let gone = try #require(teardown.goneAfter)
            #expect(gone >= 9 && gone < 12)
            #expect(attempt.death?.savedOnSignal == nil, "it saves none")
        }
    }

    @Test(
        "a second launch stop or a SIGTERM can shorten the time to save but not lengthen it",
        arguments: ["stop --now", "SIGTERM"])
    func shorterGrace(how: String) async throws {
        try await Site.with { site in
            try site.config(Self.deaf)
            let run = try site.launch("run")
            try await run.prints("started\n")
            let pod = try await site.pod(of: "deaf")
            let stop = try site.launch("stop", "--grace", "10m")
            try await run.prints("STOPPING: the training has 600 s to save and exit\n")
            let second = try site.launch("stop", "--grace", "20m")
            try await run.prints("caught\n")
            let start = ContinuousClock.now
            if how == "SIGTERM" { kill(pod[0], SIGTERM) } else { try await site.launch("stop", "--now").check() }
            #expect(try await run.end(within: .seconds(10)) == 130)
            #expect(start.duration(to: .now) < .seconds(6))
            try await stop.check()
            try await second.check()
            #expect(!run.text.contains("1200 s"))
            #expect(try await site.status("deaf").state == "stopped")
        }
    }

    @Test("launch reports how often the training saved when it got SIGTERM")
    func saveOnSignal() async throws {
        try await Site.with { site in
            try site.write(
                "project/train.py",
                """
                import os, signal, sys, time
                def end(*_):
                    os.makedirs("out/checkpoint-5", exist_ok=True)
                    if sys.argv[1] == "saves": open("out/checkpoint-5/weights", "w").write("whole")
                    open("out/events.log", "a").write("ended")
                    sys.exit(0)
                os.makedirs("out", exist_ok=True)
                signal.signal(signal.SIGTERM, end)
                print("started " + sys.argv[1])
                while True: time.sleep(0.1)
                """)
            for (kind, saves) in [("forgets", "0 of 1"), ("saves", "1 of 2")] {
                try site.config(
                    "run: saver\ncode: {path: .}\ncommand: python3 train.py \(kind)\ncheckpoints: {path: out}\n")
                let run = try site.launch("run")
                try await run.prints("started \(kind)\n")
                try await site.launch("stop").check()
                #expect(try await run.end() == 130)
                #expect(run.errors.contains("  save on signal  \(saves)\n"))
            }
            #expect(try await site.status("saver").attempts.map(\.death?.savedOnSignal) == [false, true])
            let status = try site.launch("status")
            try await status.check()
            #expect(status.text.contains("save on signal  1 of 2\n"))
            #expect(status.text.contains("SIGTERM to the training, 1 process\n"))
        }
    }
}
