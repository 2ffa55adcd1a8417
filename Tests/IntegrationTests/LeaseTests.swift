import Glibc
import Shared
import TestSupport
import Testing

/// The owner's side of the lease: nothing trains any more when another pod may take the run over.
@Suite(.serialized, .timeLimit(.minutes(2))) struct LeaseTests {
    private static let training = CommandForm.shell("trap '' TERM; while :; do echo line; sleep 0.05; done")

    @Test("init ends the training if serve stands still, before another pod may take the run over")
    func stoppedServe() async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: Self.training)
            let pod = try agent.start()
            try await eventuallyTrue("the start") { try agent.log.contains("line\nline\n") }
            let serve = try #require(ProcessStat.all().first { $0.parent == pod.pid }).pid
            kill(serve, SIGSTOP)
            let start = ContinuousClock.now
            #expect(try await pod.end(within: .seconds(29)) != 0)
            let gone = start.duration(to: .now)
            print("timing: SIGSTOP of serve to the end of the pod \(gone)")
            #expect(gone > .seconds(15), "a short pause is no reason")
            #expect(gone < .seconds(29), "a newcomer waits for 30 s")
            #expect(site.processes.isEmpty)
        }
    }

    @Test("a signal that init does not handle ends nothing", arguments: [SIGUSR1, SIGQUIT, SIGALRM, SIGPIPE])
    func strangeSignal(signal: Int32) async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site, command: .shell("echo started; until [ -e \"$SITE/go\" ]; do sleep 0.02; done"))
            let pod = try agent.start()
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            pod.send(signal)
            try site.open("go")
            try await pod.check()
            #expect(try agent.record(1)?.outcome?.kind == .finished)
        }
    }
}
