import Glibc
import Shared
import TestSupport
import Testing

/// SIGTERM comes while a training saves that knows nothing of signals.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: Namespaces.areThere, Namespaces.reason))
struct TerminatedSaveTests {
    /// A save is a few files one after the other, and none is open between two of them.
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

    /// Tells the first process to end; returns how long it took until nothing was left.
    private func terminate(_ unshare: Running, _ first: Int32, _ site: Site) async throws -> Duration {
        let start = ContinuousClock.now
        kill(first, SIGTERM)
        #expect(try await unshare.end(within: .seconds(10)) == 143)
        try await eventuallyTrue("the end of all", within: .seconds(5), every: .milliseconds(2)) {
            site.processes.isEmpty
        }
        return start.duration(to: .now)
    }

    @Test func itCompletesAndIsResumedFrom() async throws {
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

    /// Not at the price of the deadline.
    @Test func oneThatTakesTooLongIsCut() async throws {
        try await Site.with { site in
            let agent = try agent(at: site, parts: 2, seconds: 5)
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            try await eventuallyTrue("a save under way", every: .milliseconds(1)) { size(of: 0, agent) > 0 }
            let gone = try await terminate(unshare, first, site)
            print("timing: SIGTERM in a save of 10 s to the end of all \(gone)")
            #expect(gone > .seconds(2.5), "it is given what there is")
            #expect(gone < .seconds(5))
            #expect(!site.exists("saved"))
            #expect(try agent.record(1)?.state == .ended)
            #expect(try agent.record(1)?.outcome?.kind == .interrupted)
        }
    }

    @Test func outsideASaveItEndsAtOnce() async throws {
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

    /// The folder is a link to another one, and what /proc says of its files is not the path that the config has.
    @Test func aSaveBehindALinkCompletes() async throws {
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

    /// As TensorBoard's file in the output folder of transformers, which is open for writing all along.
    @Test func anOpenLogBesideTheCheckpointsIsNoSave() async throws {
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

    /// As a torch DataLoader has them: forks that catch SIGTERM, of a process that does not, and that dies where one of them ends.
    @Test func aSaveIsNotCutByTheEndOfItsWorkers() async throws {
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

    /// `tee` takes its default and would die of the signal, and with it what the training prints while it saves.
    @Test func aHandlerBehindAPipeSaves() async throws {
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
            let gone = try await terminateWhateverItsCode(unshare, first, site)
            #expect(gone < .seconds(5))
            #expect(try agent.log.contains("started\nsaving\nsaved\n"))
            #expect(try File.read("\(agent.folder.work)/log.txt").text == "started\nsaving\nsaved\n")
            #expect(try File.read("\(agent.folder.work)/out/checkpoint-9/weights").text == "whole")
            #expect(try agent.record(1)?.outcome?.kind == .interrupted)
        }
    }

    /// A training that saves and then says that all is well: its pod's code is the training's own.
    private func terminateWhateverItsCode(_ unshare: Running, _ first: Int32, _ site: Site) async throws -> Duration {
        let start = ContinuousClock.now
        kill(first, SIGTERM)
        #expect(try await unshare.end(within: .seconds(10)) == 0)
        try await eventuallyTrue("the end of all", within: .seconds(5)) { site.processes.isEmpty }
        return start.duration(to: .now)
    }
}
