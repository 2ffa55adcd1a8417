import Glibc
import Shared
import TestSupport
import Testing

/// A pod that is taken away ends within 5 s of SIGTERM, and its record says `interrupted` within 500 ms.
@Suite(.serialized, .timeLimit(.minutes(10)), .enabled(if: Namespaces.areAvailable, Namespaces.reason))
struct TerminationDeadlineTests {
    private static let ignores = "trap '' TERM INT HUP; "

    @Test("the pod ends within 5 s of SIGTERM although the training and its daemons ignore it and fork")
    func daemons() async throws {
        try await check(
            rounds: Rounds.count(4, full: 50),
            """
            setsid sh -c 'while :; do sleep 60 & sleep 0.05; done' &
            echo started
            while :; do sleep 60 & sleep 0.05; done
            """)
    }

    @Test("the pod ends within 5 s of SIGTERM although the training ignores it and floods its output")
    func flood() async throws {
        try await check(
            rounds: Rounds.count(1, full: 10), "echo started; while :; do cat /dev/zero | tr '\\0' 'x'; done")
    }

    /// The forks reach the group's limit, so the agent cannot start a thread or a process either.
    @Test(
        "the pod ends within 5 s of SIGTERM although the training's forks fill its control group",
        .enabled(if: ControlGroup.isAvailable("pids"), ControlGroup.reason))
    func forkBomb() async throws {
        try await ControlGroup.with("pids", ["pids.max": 400]) { group in
            try await check(
                rounds: Rounds.count(1, full: 10), in: group,
                """
                echo started
                bomb() { (trap '' TERM; while :; do bomb & sleep 0.1; done); }
                bomb 2>/dev/null
                sleep 60
                """)
        }
    }

    @Test("further SIGTERMs every 100 ms make the end of the pod neither later nor earlier")
    func repeatedSignals() async throws {
        try await check(rounds: Rounds.count(1, full: 10), again: true, "echo started; while :; do sleep 0.05; done")
    }

    private func check(
        rounds: Int, in group: ControlGroup? = nil, again: Bool = false, _ training: String,
        name: String = #function
    ) async throws {
        var marks: [Duration] = []
        var ends: [Duration] = []
        for _ in 1...rounds {
            try await Site.with { site in
                let agent = try BareAgent(at: site, command: .shell(Self.ignores + training))
                let unshare = try agent.startAsFirst(under: group?.enter ?? [])
                let first = try await agent.first(unshare)
                try await eventuallyTrue("the start") {
                    // The test reads only the beginning, because the log may grow faster than it is read.
                    try LogStream(of: agent.folder).read(at: 0, limit: 64 << 10).text.contains("started\n")
                }
                if let group { try await eventuallyTrue("a full group") { group.isFull } }
                let start = ContinuousClock.now
                kill(first, SIGTERM)
                try await eventuallyTrue("the mark", within: .seconds(3), every: .milliseconds(1)) {
                    try agent.record(1)?.outcome?.kind == .interrupted
                }
                marks.append(start.duration(to: .now))
                while again && start.duration(to: .now) < .seconds(3) {
                    kill(first, SIGTERM)
                    try await Task.sleep(for: .milliseconds(100))
                }
                _ = try await unshare.end(within: .seconds(10))
                try await eventuallyTrue("the end of all", within: .seconds(10), every: .milliseconds(2)) {
                    site.processes.isEmpty
                }
                ends.append(start.duration(to: .now))
                #expect(try agent.record(1)?.outcome?.kind == .interrupted)
                if again { #expect(start.duration(to: .now) > .seconds(3)) }
            }
        }
        let (mark, end) = (marks.sorted(), ends.sorted())
        print(
            """
            timing: \(name), \(rounds) times: SIGTERM to the durable mark, median \(mark[rounds / 2]), \
            longest \(mark[rounds - 1]); to the end of all, median \(end[rounds / 2]), longest \(end[rounds - 1])
            """)
        #expect(end[rounds - 1] < .seconds(5))
        #expect(mark[rounds - 1] < .milliseconds(500))
    }
}
