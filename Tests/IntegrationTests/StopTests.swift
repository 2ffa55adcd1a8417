import Shared
import TestSupport
import Testing

/// `launch stop` ends a run, and says to all who follow that it was asked for.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StopTests {
    @Test func gracefullyWithTimeToSave() async throws {
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

    /// It ignores what it is told, and forks.
    @Test func now() async throws {
        try await Site.with { site in
            try site.config(
                "run: deaf\ncommand: trap '' TERM; echo started; while :; do sleep 60 & sleep 0.1; done\n")
            let run = try site.launch("run")
            try await run.prints("started\n")
            let pod = try await site.pod(of: "deaf")
            let start = ContinuousClock.now
            try await site.launch("stop", "--now").check()
            #expect(start.duration(to: .now) < .seconds(5))
            #expect(try await run.end() == 130)
            try await site.isGone(pod)
            #expect(site.processes.isEmpty)
            #expect(try await site.status("deaf").state == "stopped")
        }
    }
}
