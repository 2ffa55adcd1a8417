import Glibc
import Shared
import TestSupport
import Testing

/// The training never outlives the agent, also outside a container, where no pid namespace ends it.
@Suite(.serialized, .timeLimit(.minutes(2))) struct AgentKilledTests {
    /// A training that ignores SIGTERM and has a daemon in a session of its own.
    private static let training = CommandForm.shell(
        """
        trap '' TERM
        setsid sh -c 'trap "" TERM; while :; do sleep 60 & sleep 0.05; done' &
        echo started
        while :; do sleep 60 & sleep 0.05; done
        """)

    @Test(
        "all processes end within 5 s and the run counts as interrupted if the agent's init is killed",
        arguments: 1...Rounds.count(2, full: 10))
    func killInit(round: Int) async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: Self.training)
            let pod = try agent.start()
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            let start = ContinuousClock.now
            pod.send(SIGKILL)
            #expect(try await pod.end() == 137)
            try await eventuallyTrue("the end of all", within: .seconds(10), every: .milliseconds(2)) {
                site.processes.isEmpty
            }
            let gone = start.duration(to: .now)
            print("timing: SIGKILL of init to the end of serve and of the training \(gone)")
            #expect(gone < .seconds(5))
            // The same class as for a pod that is taken away.
            #expect(try agent.record(1)?.state == .ended)
            #expect(try agent.record(1)?.outcome?.kind == .interrupted)
        }
    }

    @Test(
        "the pod ends if the agent's serve process is killed, and the next start records agent-crash and trains",
        arguments: 1...Rounds.count(2, full: 10))
    func killServe(round: Int) async throws {
        try await Site.with { site in
            var agent = try BareAgent(at: site, command: Self.training)
            let pod = try agent.start()
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            let start = ContinuousClock.now
            kill(try #require(ProcessStat.all().first { $0.parent == pod.pid }).pid, SIGKILL)
            #expect(try await pod.end(within: .seconds(5)) == 137)
            print("timing: SIGKILL of serve to the end of the pod \(start.duration(to: .now))")
            try await eventuallyTrue("the end of all") { site.processes.isEmpty }
            #expect(try agent.record(1)?.state == .training)

            agent.spec.command = .shell("echo again")
            try await agent.start().check()
            #expect(try agent.record(1)?.outcome?.kind == .agentCrash)
            #expect(try agent.record(1)?.state == .ended)
            #expect(try agent.record(2)?.outcome?.kind == .finished)
        }
    }

    /// `init` keeps the deadline, so a `serve` that hangs cannot break it.
    @Test("the pod ends within 5 s of SIGTERM although the agent's serve process is stopped")
    func stopServe() async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: Self.training)
            let pod = try agent.start()
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            kill(try #require(ProcessStat.all().first { $0.parent == pod.pid }).pid, SIGSTOP)
            let start = ContinuousClock.now
            pod.send(SIGTERM)
            #expect(try await pod.end(within: .seconds(10)) == 143)
            try await eventuallyTrue("the end of all", every: .milliseconds(2)) { site.processes.isEmpty }
            #expect(start.duration(to: .now) < .seconds(5))
        }
    }
}
