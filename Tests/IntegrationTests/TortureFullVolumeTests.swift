import Glibc
import Shared
import TestSupport
import Testing

/// The volume is a real disk, which is full to its last block.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: LoopDisk.isAvailable, LoopDisk.reason))
struct TortureFullVolumeTests {
    private func withAgent(_ script: String, _ body: (BareAgent, LoopDisk) async throws -> Void) async throws {
        try await Site.with { site in
            let disk = try LoopDisk(at: site)
            defer { disk.unmount() }
            try site.write("train.py", script)
            var agent = try BareAgent(at: site, command: .shell("exec python3 \"$SITE/train.py\""))
            agent.spec.volume = disk.mountPoint
            try await body(agent, disk)
            #expect(site.processes.isEmpty)
        }
    }

    /// Starts the agent. Returns once its log has the first step.
    private func started(_ agent: BareAgent) async throws -> Running {
        let run = try agent.start()
        try await eventuallyTrue("the start; \(run.errors)") { (try? text(agent).contains("step 1\n")) == true }
        return run
    }

    private func text(_ agent: BareAgent) throws -> String {
        let stream = try LogStream(of: agent.folder)
        var bytes: [UInt8] = []
        while case let more = try stream.read(at: bytes.count, limit: 1 << 20), !more.isEmpty { bytes += more }
        return bytes.text
    }

    /// The training prints more than the agent keeps in memory.
    @Test("a disk that is full for a while does not stop the training, and each byte is in the log or counted as lost")
    func fullForAWhile() async throws {
        let lines = 1_200_000
        let script = """
            import os, time
            site = os.environ["SITE"]
            def wait(name):
                while not os.path.exists(f"{site}/{name}"):
                    time.sleep(0.005)
            print("step 1", flush=True)
            wait("full")
            print("".join(f"line {line:07}\\n" for line in range(\(lines))), end="", flush=True)
            print("step 2", flush=True)
            open(f"{site}/printed", "w").close()
            wait("free")
            print("step 3")
            """
        try await withAgent(script) { agent, disk in
            let run = try await started(agent)
            try disk.fill()
            try agent.site.open("full")
            try await eventuallyTrue("all that is printed; \(run.errors)") { agent.site.exists("printed") }
            #expect(try agent.record(1)?.state == .training)
            try disk.free()
            let gap = try await eventually("the gap, told") {
                try text(agent).split(separator: "\n").last { $0.hasPrefix("LOG GAP: ") && $0.hasSuffix(")") }
            }
            try agent.site.open("free")
            try await run.check()
            let log = try text(agent)
            let words = gap.split(separator: " ")
            #expect(gap.hasSuffix("bytes could not be kept (No space left on device)"))
            let own = ["======", "CONFIG: ", "STARTING FRESH", "LOG GAP: ", "EXIT_CODE="]
            let kept = log.split(separator: "\n", omittingEmptySubsequences: false)
                .filter { line in !own.contains { line.hasPrefix($0) } }
                .reduce(0) { $0 + $1.utf8.count + 1 }
            // The agent itself ends the first half of a line that the gap cuts in two.
            let printed = 3 * "step 1\n".utf8.count + lines * "line 0000000\n".utf8.count
            let counted = kept - 1 + (try #require(Int(words[2])))
            #expect((0...1).contains(counted - printed), "\(counted) of \(printed)")
            print("timing: \(gap)")
            #expect(log.hasSuffix("step 3\nEXIT_CODE=0\n"))
            let record = try #require(try agent.record(1))
            #expect(record.state == .ended)
            #expect(record.outcome?.kind == .finished)
            // A restart trains nothing.
            try await agent.start().check()
            #expect(try agent.folder.claims().count == 1)
        }
    }

    /// The agent has reserved space for the record of the end.
    @Test("the record says how the run ended and the pod exits with the training's code although the disk is full")
    func fullAtEnd() async throws {
        let script = """
            import os, sys, time
            print("step 1", flush=True)
            while not os.path.exists(os.environ["SITE"] + "/full"):
                time.sleep(0.005)
            print("step 2", flush=True)
            sys.exit(7)
            """
        try await withAgent(script) { agent, disk in
            let run = try await started(agent)
            try disk.fill()
            try agent.site.open("full")
            #expect(try await run.end() == 7)
            let record = try #require(try agent.record(1))
            #expect(record.state == .ended)
            #expect(record.outcome?.exit == .code(7))
            try disk.free()
            #expect(try await agent.start().end() == 7)
            #expect(try agent.folder.claims().count == 1)
        }
    }

    /// The agent has reserved space for the claim and the record of the next attempt.
    @Test("the next attempt has its claim and its record although the disk has been full since the one before")
    func fullBetweenAttempts() async throws {
        let script = """
            import os, sys, time
            print("step 1", flush=True)
            while not os.path.exists(os.environ["SITE"] + "/full"):
                time.sleep(0.005)
            sys.exit(7)
            """
        try await withAgent(script) { agent, disk in
            var agent = agent
            agent.spec.retry = RetryPolicy(crash: 1, backoff: .seconds(1))
            let run = try await started(agent)
            try disk.fill()
            try agent.site.open("full")
            #expect(try await run.end() == 7)
            #expect(try agent.folder.claims().count == 2)
            for attempt in [1, 2] { #expect(try agent.record(attempt)?.outcome?.exit == .code(7), "\(attempt)") }
            #expect(try agent.record(2)?.state == .ended)
        }
    }

    @Test("the agent retries the claim of the next attempt until the full disk has room for it")
    func noReservedSpace() async throws {
        let script = """
            import os, sys, time
            print("step 1", flush=True)
            site = os.environ["SITE"]
            while not os.path.exists(f"{site}/full"):
                time.sleep(0.005)
            sys.exit(0 if os.path.exists(f"{site}/freed") else 7)
            """
        try await withAgent(script) { agent, disk in
            var agent = agent
            agent.spec.retry = RetryPolicy(crash: 1, backoff: .seconds(6))
            let run = try await started(agent)
            try agent.site.open("full")
            try await eventuallyTrue("the pause") { try agent.record(1)?.state == .waiting }
            try File.remove(agent.folder.reservePath(1))
            try disk.fill()
            try await eventuallyTrue("a claim without room") {
                run.errors.contains("0002.claim\": No space left on device")
            }
            try agent.site.open("freed")
            try disk.free()
            try await run.check()
            #expect(try agent.folder.claims().count == 2)
        }
    }

    @Test("the agent exits with an error and leaves no file of its attempt if the disk is full when it starts")
    func fullAtClaim() async throws {
        try await withAgent("print('step 1')") { agent, disk in
            try await agent.start().check()
            try disk.fill()
            var next = agent
            next.spec.launch = LaunchOrder(id: "launch-2")
            next.pod = "pod-2"
            let run = try next.start()
            #expect(try await run.end(within: .seconds(5)) == EX_IOERR)
            #expect(run.errors.contains("0002.claim\": No space left on device"), "\(run.errors)")
            #expect(try File.list(agent.folder.attempts).filter { $0.hasPrefix("0002") } == [])
            try disk.free()
            try await next.start().check()
            #expect(try agent.folder.claims().map(\.pod) == ["pod-1", "pod-2"])
        }
    }
}
