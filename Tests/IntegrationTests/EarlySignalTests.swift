import Glibc
import Shared
import TestSupport
import Testing

/// A pod may be told to end before it has begun.
@Suite(.serialized, .timeLimit(.minutes(4))) struct EarlySignalTests {
    /// Most in the first 60 ms, where the pod starts; the rest in the first second.
    private static let moments: [Duration] =
        (0..<Rounds.count(14, full: 140)).map { _ in .microseconds(Int.random(in: 0...60_000)) }
        + (0..<Rounds.count(6, full: 60)).map { _ in .microseconds(Int.random(in: 60_000...1_000_000)) }

    /// A training that obeys at once, so that what is lost would be seen: it would train for ever.
    private static let command = CommandForm.shell("sleep 600 & exec sleep 600")

    @Test(arguments: moments) func anyProcess(moment: Duration) async throws {
        try await Site.with { site in
            let pod = try BareAgent(at: site, command: Self.command).start()
            try await Task.sleep(for: moment)
            pod.send(SIGTERM)
            try await endsSoon(pod, site)
        }
    }

    @Test(.enabled(if: Namespaces.areThere, Namespaces.reason), arguments: moments)
    func aFirstProcess(moment: Duration) async throws {
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
        // Either it was too early for a claim, or the attempt is on record as interrupted.
        let folder = try site.folder("bare")
        if let claim = try folder.claims().last, let record = try folder.readRecord(claim.number) {
            #expect(record.state == .ended)
            #expect(record.outcome?.kind == .interrupted)
        }
    }
}
