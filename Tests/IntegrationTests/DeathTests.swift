import Glibc
import Shared
import TestSupport
import Testing

@Suite("the record of how a training died", .serialized, .timeLimit(.minutes(2))) struct DeathTests {
    @Test("the record of a crashed training has its signal, its last lines and the disks")
    func crash() async throws {
        try await Site.with { site in
            try site.config("run: segv\ncommand: echo step 1; kill -SEGV $$\nretry: {crash: 0}\n")
            let run = try site.launch("run")
            #expect(try await run.end() == 128 + SIGSEGV)
            let attempt = try #require(try await site.status("segv").attempts.last)
            #expect(attempt.outcome?.kind == .failed)
            #expect(attempt.outcome?.exit == .signal(SIGSEGV))
            #expect(attempt.death?.lines.last == "step 1")
            #expect(attempt.death?.disks.isEmpty == false)
        }
    }

    /// The agent is in the same control group and survives.
    @Test(
        "the agent records out-of-memory and does not retry if the kernel kills the training",
        .enabled(if: ControlGroup.isAvailable("memory"), ControlGroup.reason))
    func outOfMemory() async throws {
        try await Site.with { site in
            try await ControlGroup.with("memory", ["memory.limit_in_bytes": 200 << 20]) { group in
                var agent = try BareAgent(
                    at: site,
                    command: .exec([
                        "python3", "-c",
                        "print('step 1', flush=True); x = []\nwhile True: x.append(bytearray(b'x' * (8 << 20)))",
                    ]))
                agent.spec.retry = RetryPolicy(crash: 2, backoff: .seconds(1))
                let pod = try site.start(group.enter + [Programs.agent], environment: try agent.environment())
                #expect(try await pod.end() == 137)
                let record = try #require(try agent.record(1))
                #expect(record.outcome?.kind == .outOfMemory)
                #expect(record.outcome?.exit == .signal(SIGKILL))
                #expect(record.death?.outOfMemoryKills ?? 0 >= 1)
                print("timing: kills by the kernel \(record.death?.outOfMemoryKills ?? 0)")
                // Without a new checkpoint a retry would run out of memory at the same place.
                #expect(record.outcome?.message == "it ran out of memory without a new checkpoint")
                #expect(try agent.folder.claims().count == 1)
                // The training prints nothing about its end, because the kernel kills it.
                #expect(
                    try agent.log.contains(
                        /\nOUT-OF-MEMORY: the kernel killed (a process|\d+ processes) for lack of memory\nEXIT_CODE=137\n$/
                    ))
            }
        }
    }

    @Test("the next launch run records agent-crash and resumes if the agent's serve process was killed")
    func agentCrash() async throws {
        try await Site.with { site in
            let trainer = try Trainer(at: site)
            try trainer.hold(at: 30)
            let first = try site.launch("run")
            try await trainer.isHeld(at: 30)
            let pod = try await site.pod(of: "chain")
            let serve = try #require(ProcessStat.all().first { $0.parent == pod[0] })
            kill(serve.pid, SIGKILL)
            try await site.isGone(pod)
            #expect(try await first.end() == 70)
            #expect(first.errors.contains("== chain: lost"))

            try trainer.release(30)
            let second = try site.launch("run")
            try await second.check()
            let attempts = try await site.status("chain").attempts
            #expect(attempts.map(\.outcome?.kind) == [.agentCrash, .finished])
            #expect(attempts.map(\.state) == [.ended, .ended])
            #expect(attempts[0].seconds != nil)
            #expect(attempts[1].resumedFrom?.step == 30)
            #expect(try trainer.weights() == (try await trainer.bareWeights()))
            let log = try site.log("chain")
            #expect(Array(log.suffix(second.output.count)) == second.output)
        }
    }

    /// Such a SIGTERM shows nothing about whether the training saves on a signal.
    @Test("the record has no teardown if SIGTERM comes after the training ended by itself")
    func lateSignal() async throws {
        try await Site.with { site in
            var agent = try BareAgent(at: site, command: .shell("mkdir -p out; sleep 600 & exit 3"))
            agent.spec.checkpoints = CheckpointRule(path: "out")
            agent.spec.retry = RetryPolicy(crash: 0, backoff: .seconds(1))
            let pod = try agent.start()
            try await eventuallyTrue(within: .seconds(60)) { try agent.record(1)?.state == .finishing }
            pod.send(SIGTERM)
            #expect(try await pod.end(within: .seconds(5)) == 3)
            let record = try #require(try agent.record(1))
            #expect(record.outcome?.kind == .failed && record.state == .ended)
            let death = try #require(record.death)
            #expect(death.teardown == nil && death.savedOnSignal == nil && death.secondsAfterSignal == nil)
        }
    }

    /// The training kills its agent, and each restart of the container makes the next attempt.
    @Test("the next start gives up with agent-crash after three agents have died without a new checkpoint")
    func repeatedCrashes() async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: .shell("kill -KILL $PPID; sleep 600"))
            for number in 1...3 {
                #expect(try await agent.start().end() == 137)
                // The agent may die before it has written a record.
                #expect(try agent.record(number)?.isOver != true)
            }
            #expect(try await agent.start().end() == 70)
            let record = try #require(try agent.record(4))
            let reason = "the agent died, or the training failed, 3 times without a new checkpoint"
            #expect(record.state == .ended && record.outcome == Outcome(.agentCrash, message: reason))
            #expect(try agent.log.contains("\nAGENT-CRASH: \(reason)\nEXIT_CODE=70\n"))
            // The launch is over, however often the container is started again.
            #expect(try await agent.start().end() == 70)
            #expect(try agent.folder.claims().count == 4)
        }
    }
}
