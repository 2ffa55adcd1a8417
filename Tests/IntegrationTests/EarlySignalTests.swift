import Glibc
import Shared
import TestSupport
import Testing

@Suite("SIGTERM while a pod starts", .serialized, .timeLimit(.minutes(4))) struct EarlySignalTests {
    /// Most moments are in the first 60 ms, in which the pod starts. The rest are in the first second.
    private static let moments: [Duration] =
        (0..<Rounds.count(14, full: 140)).map { _ in .microseconds(Int.random(in: 0...60_000)) }
        + (0..<Rounds.count(6, full: 60)).map { _ in .microseconds(Int.random(in: 60_000...1_000_000)) }

    /// A training that obeys SIGTERM at once and never ends by itself, so a lost signal fails the test.
    private static let command = CommandForm.shell("sleep 600 & exec sleep 600")

    @Test("the agent ends within 5 s if SIGTERM comes at any moment of its start", arguments: moments)
    func ordinaryProcess(moment: Duration) async throws {
        try await Site.with { site in
            let pod = try BareAgent(at: site, command: Self.command).start()
            try await Task.sleep(for: moment)
            pod.send(SIGTERM)
            try await endsSoon(pod, site)
        }
    }

    @Test(
        "the agent as PID 1 ends within 5 s if SIGTERM comes at any moment of its start",
        .enabled(if: Namespaces.areAvailable, Namespaces.reason), arguments: moments)
    func firstProcess(moment: Duration) async throws {
        try await Site.with { site in
            let agent = try BareAgent(at: site, command: Self.command)
            let pod = try agent.startAsFirst()
            let first = try await agent.first(pod)
            try await Task.sleep(for: moment)
            kill(first, SIGTERM)
            try await endsSoon(pod, site)
        }
    }

    private func endsSoon(_ pod: Running, _ site: Site) async throws {
        let start = ContinuousClock.now
        #expect(try await pod.end(within: .seconds(10)) == 143)
        try await eventuallyTrue("the end of all", every: .milliseconds(2)) { site.processes.isEmpty }
        #expect(start.duration(to: .now) < .seconds(5))
        // The signal came before the claim, or the record says that the attempt was interrupted.
        let folder = try site.folder("bare")
        if let claim = try folder.claims().last, let record = try folder.readRecord(claim.number) {
            #expect(record.state == .ended)
            #expect(record.outcome?.kind == .interrupted)
        }
    }
}
