import Shared
import TestSupport
import Testing

/// Commands that end while processes of theirs still run.
@Suite(.serialized, .timeLimit(.minutes(2))) struct BackgroundTests {
    /// Trains until `$SITE/end` exists, exits with the code in it, and saves on SIGTERM.
    private static let script = """
        import os, signal, sys, time
        def save(*_): open("saved", "w").close(); sys.exit(0)
        signal.signal(signal.SIGTERM, save)
        step, end = 0, os.environ["SITE"] + "/end"
        while not os.path.exists(end):
            step += 1
            print("step", step, flush=True)
            time.sleep(0.05)
        sys.exit(int(open(end).read()))
        """

    private func start(_ command: String, on site: Site) throws -> Running {
        try site.write("project/train.py", Self.script)
        try site.config("run: back\ncode: {path: .}\nretry: {crash: 0}\ncommand: \(command)\n")
        return try site.launch("run")
    }

    @Test(
        "a training in the background is followed to its end, and its exit code counts", arguments: [0, 7] as [Int32])
    func followed(code: Int32) async throws {
        try await Site.with { site in
            let run = try start("nohup python3 train.py > train.log 2>&1 &", on: site)
            try await run.prints("BACKGROUND: the command has ended; following what it left running: ")
            #expect(try await site.status("back").state == "training")
            try site.write("end", "\(code)")
            #expect(try await run.end() == code)
            let outcome = try await site.status("back").attempts.last?.outcome
            #expect(outcome?.kind == (code == 0 ? .finished : .failed) && outcome?.exit == .code(code))
        }
    }

    @Test("launch stop gives a training in the background its time to save")
    func stopped() async throws {
        try await Site.with { site in
            let run = try start("python3 train.py &", on: site)
            try await run.prints("BACKGROUND: ")
            try await run.prints("step 20\n")
            let start = ContinuousClock.now
            try await site.launch("stop", "back", "--grace", "60s").check()
            #expect(try await run.end() == 130)
            #expect(start.duration(to: .now) < .seconds(20))
            #expect(site.exists("home/volume/runs/back/work/saved"))
        }
    }

    @Test("a command that leaves only an idle process has failed, and launch names the process")
    func idle() async throws {
        try await Site.with { site in
            let run = try start("sleep 300 &", on: site)
            #expect(try await run.end(within: .seconds(60)) == 70)
            let outcome = try #require(try await site.status("back").attempts.last?.outcome)
            #expect(outcome.kind == .failed && outcome.exit == .code(0))
            #expect(outcome.message?.contains("in the background that neither prints nor saves: sleep 300") == true)
            #expect(run.text.contains("\nKILLED: still running 10 s after the end of the training: sleep 300\n"))
        }
    }

    @Test("a monitor that ran beside the training is killed after it and reported, and the run has finished")
    func monitor() async throws {
        try await Site.with { site in
            let run = try start("(while :; do echo load; sleep 0.3; done > load.log) & sleep 8; echo trained", on: site)
            #expect(try await run.end(within: .seconds(60)) == 0)
            #expect(!run.text.contains("BACKGROUND: "))
            #expect(run.text.contains("\nKILLED: still running 10 s after the end of the training: "))
            #expect(try await site.status("back").state == "finished")
        }
    }
}
