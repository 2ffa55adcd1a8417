import Glibc
import Shared
import TestSupport
import Testing

/// A pod that is taken away has 5 s, and the mark that it was comes at once: ten times of ten.
@Suite(.serialized, .timeLimit(.minutes(4)), .enabled(if: Namespaces.areThere, Namespaces.reason))
struct TerminationDeadlineTests {
    @Test func tenTimesOfTen() async throws {
        var marks: [Duration] = []
        var ends: [Duration] = []
        for _ in 1...10 {
            try await Site.with { site in
                let agent = try BareAgent(
                    at: site,
                    command: .shell(
                        """
                        trap '' TERM INT HUP
                        setsid sh -c 'while :; do sleep 60 & sleep 0.05; done' &
                        echo started
                        while :; do sleep 60 & sleep 0.05; done
                        """))
                let unshare = try agent.startAsFirst()
                let first = try await agent.first(unshare)
                try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
                let start = ContinuousClock.now
                kill(first, SIGTERM)
                try await eventuallyTrue("the mark", within: .seconds(3), every: .milliseconds(1)) {
                    try agent.record(1)?.outcome?.kind == .interrupted
                }
                marks.append(start.duration(to: .now))
                _ = try await unshare.end(within: .seconds(10))
                try await eventuallyTrue("the end of all", within: .seconds(10), every: .milliseconds(2)) {
                    site.processes.isEmpty
                }
                ends.append(start.duration(to: .now))
                #expect(try agent.record(1)?.state == .ended)
            }
        }
        let (mark, end) = (marks.sorted(), ends.sorted())
        print(
            """
            timing: SIGTERM to the durable mark, median \(mark[5]), longest \(mark[9]); \
            to the end of all, median \(end[5]), longest \(end[9])
            """)
        #expect(end[9] < .seconds(5))
        #expect(mark[9] < .milliseconds(500))
    }
}
