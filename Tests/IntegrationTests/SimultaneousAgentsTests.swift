import Glibc
import Shared
import TestSupport
import Testing

/// Two agents start at the same instant on one volume: one trains, and the other waits for it in peace.
@Suite(.serialized, .timeLimit(.minutes(3))) struct SimultaneousAgentsTests {
    @Test(arguments: 1...10) func oneTrainsAndTheOtherWaits(round: Int) async throws {
        try await Site.with { site in
            var agents: [BareAgent] = []
            for number in 1...2 {
                var agent = try BareAgent(
                    at: site, run: "twins",
                    command: .shell(
                        """
                        mkdir "$SITE/training" || exit 9
                        echo "trains for $POD"
                        until [ -e "$SITE/go" ]; do sleep 0.02; done
                        rmdir "$SITE/training"
                        """),
                    launch: "launch-\(number)")
                agent.pod = "pod-\(number)"
                agent.spec.env = ["POD": agent.pod]
                agents.append(agent)
            }
            let pods = try agents.map { agent in
                try site.start(
                    [Programs.agent],
                    environment: try agent.environment().merging(
                        ["POD_AGENT_ENDPOINT_FILE": "\(site.root)/\(agent.pod)"]) { $1 })
            }
            let owner = try await eventually("one that trains") {
                try agents[0].record(1).flatMap { $0.state == .training ? $0.pod : nil }
            }
            let (trainer, waiter) = owner == "pod-1" ? (pods[0], pods[1]) : (pods[1], pods[0])
            try await eventuallyTrue("one that waits") {
                waiter.errors.contains("waiting for pod \(owner), which owns attempt 1")
            }
            #expect(!trainer.errors.contains("waiting for"))
            #expect(try agents[0].folder.claims().count == 1)
            try await eventuallyTrue("its line") { try agents[0].log.contains("trains for \(owner)\n") }
            #expect(try agents[0].log.ranges(of: "trains for pod-").count == 1)

            try site.open("go")
            try await trainer.check()
            try await waiter.check()
            #expect(try agents[0].folder.claims().map(\.number) == [1, 2])
            #expect(try agents[0].record(1)?.outcome?.kind == .finished)
            #expect(try agents[0].record(2)?.outcome?.kind == .finished)
        }
    }
}
