import Glibc
import Shared
import TestSupport
import Testing

/// Nearly all trainings here have no handler for SIGTERM.
@Suite(
    "SIGTERM during a save", .serialized, .timeLimit(.minutes(3)),
    .enabled(if: Namespaces.areAvailable, Namespaces.reason))
struct TerminatedSaveTests {
    /// A save writes a few files one after the other, and between two of them none is open.
    private static let script = """
        import os, sys, time

        parts, seconds = int(os.environ["PARTS"]), float(os.environ["SECONDS_EACH"])
        print("begins with", sys.argv[1:])
        if len(sys.argv) > 1:
            sys.exit(0)
        os.makedirs("out/checkpoint-7")
        for part in range(parts):
            with open(f"out/checkpoint-7/part-{part}", "wb") as file:
                for _ in range(10):
                    file.write(b"x" * 1000)
                    file.flush()
                    time.sleep(seconds / 10)
            time.sleep(0.05)
        open(os.environ["SITE"] + "/saved", "w").close()
        while True:
            time.sleep(1)
        """

    private func agent(at site: Site, parts: Int, seconds: Double) throws -> BareAgent {
        var agent = try BareAgent(
            at: site, command: .shell("PARTS=\(parts) SECONDS_EACH=\(seconds) python3 \"$SITE/train.py\" {resume}"))
        agent.spec.resume = .shell("--resume {checkpoint}")
        agent.spec.checkpoints = CheckpointRule(path: "out")
        try site.write("train.py", Self.script)
        return agent
    }

    private func size(of part: Int, _ agent: BareAgent) -> Int {
        File.status("\(agent.folder.work)/out/checkpoint-7/part-\(part)")?.size ?? 0
    }

    /// Sends SIGTERM to the first process. Returns the time until no process was left.
    private func terminate(_ unshare: Running, _ first: Int32, _ site: Site) async throws -> Duration {
        let start = ContinuousClock.now
        kill(first, SIGTERM)
        #expect(try await unshare.end(within: .seconds(10)) == 143)
        try await eventuallyTrue("the end of all", within: .seconds(5), every: .milliseconds(2)) {
            site.processes.isEmpty
        }
        return start.duration(to: .now)
    }

    @Test("a save that is under way completes after SIGTERM, and the next start resumes from it")
    func complete() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, parts: 5, seconds: 0.1)
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("a save under way", every: .milliseconds(1)) { size(of: 0, agent) > 0 }
            let gone = try await terminate(unshare, first, site)
            print("timing: SIGTERM in a save of 0.75 s to the end of all \(gone)")
            #expect(gone < .seconds(5))
            #expect((0..<5).map { size(of: $0, agent) } == [Int](repeating: 10_000, count: 5))
            #expect(site.exists("saved"))
            let record = try #require(try agent.record(1))
            #expect(record.outcome?.kind == .interrupted)
            #expect(record.outcome?.exit == .signal(SIGTERM))
            #expect(record.death?.savedOnSignal == true)
            #expect(record.checkpoints?.newest?.step == 7)

            try await agent.startAsFirst().check()
            #expect(try agent.record(2)?.resumedFrom?.step == 7)
            #expect(
                try agent.log.contains("begins with ['--resume', '\(agent.folder.work)/out/checkpoint-7']\n"))
        }
    }

    @Test("a save that takes too long is cut, and the pod ends within 5 s of SIGTERM")
    func tooLong() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, parts: 2, seconds: 5)
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("a save under way", every: .milliseconds(1)) { size(of: 0, agent) > 0 }
            let gone = try await terminate(unshare, first, site)
            print("timing: SIGTERM in a save of 10 s to the end of all \(gone)")
            #expect(gone > .seconds(2.5), "the save gets all the time that there is")
            #expect(gone < .seconds(5))
            #expect(!site.exists("saved"))
            #expect(try agent.record(1)?.state == .ended)
            #expect(try agent.record(1)?.outcome?.kind == .interrupted)
        }
    }

    @Test("the pod ends within 2.5 s of SIGTERM if no save is under way")
    func noSave() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, parts: 1, seconds: 0.01)
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("the end of the save") { site.exists("saved") }
            let saved = ContinuousClock.now
            try await eventuallyTrue("a quiet folder") { saved.duration(to: .now) > .seconds(1) }
            let gone = try await terminate(unshare, first, site)
            print("timing: SIGTERM outside a save to the end of all \(gone)")
            #expect(gone < .seconds(2.5), "a save would be given 3 s")
            #expect(try agent.record(1)?.death?.savedOnSignal == false)
        }
    }

    /// /proc shows the files under the link's target, not under the path in the config.
    @Test("a save completes after SIGTERM although the checkpoint folder is a link")
    func linkedFolder() async throws {
        try await Site.with { site in
            var agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    mkdir -p "$SITE/elsewhere/checkpoint-7"; ln -s "$SITE/elsewhere" out
                    exec python3 "$SITE/train.py"
                    """))
            agent.spec.checkpoints = CheckpointRule(path: "out")
            try site.write(
                "train.py",
                """
                import os, time
                with open("out/checkpoint-7/weights", "w") as file:
                    time.sleep(0.6)
                    print("serializes", flush=True)
                    time.sleep(0.5)
                    file.write("whole")
                time.sleep(0.1)
                with open("out/checkpoint-7/state", "w") as file:
                    file.write("whole")
                time.sleep(600)
                """)
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("a save") { try agent.log.contains("serializes\n") }
            let gone = try await terminate(unshare, first, site)
            #expect(gone < .seconds(3), "it ends once it has saved")
            for name in ["weights", "state"] {
                #expect((try? File.read("\(site.root)/elsewhere/checkpoint-7/\(name)").text) == "whole", "\(name)")
            }
            #expect(try agent.record(1)?.death?.savedOnSignal == true)
        }
    }

    /// TensorBoard keeps such a file open in the output folder of transformers.
    @Test("a log that is always open beside the checkpoints does not delay the end after SIGTERM")
    func openLog() async throws {
        try await Site.with { site in
            var agent = try BareAgent(at: site, command: .shell("python3 \"$SITE/train.py\""))
            agent.spec.checkpoints = CheckpointRule(path: "out")
            try site.write(
                "train.py",
                """
                import os, time
                os.makedirs("out/runs/today")
                events = open("out/runs/today/events.out.tfevents.1", "w")
                events.write("begin")
                events.flush()
                time.sleep(0.6)
                print("trains", flush=True)
                time.sleep(600)
                """)
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("the start") { try agent.log.contains("trains\n") }
            #expect(try await terminate(unshare, first, site) < .seconds(2.5), "a save would be given 3 s")
        }
    }

    /// The workers of a torch DataLoader are forks that catch SIGTERM. Their parent does not catch it, and dies if a
    /// worker ends.
    @Test("a save completes after SIGTERM although the training has workers that catch it")
    func workers() async throws {
        try await Site.with { site in
            try site.write(
                "train.py",
                """
                import os, signal, sys, time
                worker = os.fork()
                if worker == 0:
                    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
                    while True: time.sleep(1)
                def ended(*_):
                    print("a worker is gone", flush=True)
                    os._exit(9)
                signal.signal(signal.SIGCHLD, ended)
                os.makedirs("out/checkpoint-7")
                with open("out/checkpoint-7/weights", "w") as file:
                    print("serializes", flush=True)
                    time.sleep(1.5)
                    file.write("whole")
                time.sleep(600)
                """)
            var agent = try BareAgent(at: site, command: .shell("python3 \"$SITE/train.py\""))
            agent.spec.checkpoints = CheckpointRule(path: "out")
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("a save") { try agent.log.contains("serializes\n") }
            let gone = try await terminate(unshare, first, site)
            #expect(gone < .seconds(5))
            #expect(try !agent.log.contains("a worker is gone"))
            #expect((try? File.read("\(agent.folder.work)/out/checkpoint-7/weights").text) == "whole")
        }
    }

    /// `tee` would die of SIGTERM, and the output of the save would be lost.
    @Test("a training that saves on SIGTERM completes its save and its output through a pipe to tee")
    func pipe() async throws {
        try await Site.with { site in
            try site.write(
                "train.py",
                """
                import os, signal, sys, time
                def save(*_):
                    print("saving", flush=True)
                    os.makedirs("out/checkpoint-9")
                    with open("out/checkpoint-9/weights", "w") as file:
                        time.sleep(1)
                        file.write("whole")
                    print("saved", flush=True)
                    sys.exit(0)
                signal.signal(signal.SIGTERM, save)
                print("started", flush=True)
                while True: time.sleep(1)
                """)
            var agent = try BareAgent(at: site, command: .shell("python3 \"$SITE/train.py\" | tee log.txt"))
            agent.spec.checkpoints = CheckpointRule(path: "out")
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            let gone = try await terminateWithCodeZero(unshare, first, site)
            #expect(gone < .seconds(5))
            #expect(try agent.log.contains("started\nsaving\nsaved\n"))
            #expect(try File.read("\(agent.folder.work)/log.txt").text == "started\nsaving\nsaved\n")
            #expect(try File.read("\(agent.folder.work)/out/checkpoint-9/weights").text == "whole")
            #expect(try agent.record(1)?.outcome?.kind == .interrupted)
        }
    }

    /// Like `terminate`, for a training that saves and exits with 0, which becomes the pod's exit code.
    private func terminateWithCodeZero(_ unshare: Running, _ first: Int32, _ site: Site) async throws -> Duration {
        let start = ContinuousClock.now
        kill(first, SIGTERM)
        #expect(try await unshare.end(within: .seconds(10)) == 0)
        try await eventuallyTrue("the end of all", within: .seconds(5)) { site.processes.isEmpty }
        return start.duration(to: .now)
    }
}
