import FoundationEssentials
import Glibc
import Shared
import TestSupport
import Testing

/// A network volume that two hosts share, over its quota, and without its data.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: MooseFS.isThere, MooseFS.reason), .mooseFS)
struct NetworkVolumeTests {
    private let bed: MooseFS

    init() throws { bed = try #require(MooseFS.current) }

    // MARK: Two hosts

    @Test(arguments: 1...Rounds.count(3, full: 50)) func oneTrainsAndTheOtherWaits(round: Int) async throws {
        try await Site.with { site in
            try await Twins(at: site, volumes: try bed.part()).check { try $0.startAsFirst() }
        }
    }

    @Test(arguments: SupersededTests.pauses) func aSupersededOwnerWritesNothingMore(pause: Duration) async throws {
        try await Site.with { site in try await Superseded(at: site, volumes: try bed.part()).check(pause: pause) }
    }

    /// Others come on another host, wait, and go again: the owner's output and beats go on as if they were not there.
    @Test func othersDoNotDisturbTheOwner() async throws {
        try await Site.with { site in
            let volumes = try bed.part()
            let ticker = Ticker(at: site)
            let owner = try BareAgent(at: site, command: ticker.command, volume: volumes[0])
            let ownerPod = try owner.startAsFirst()
            try await ticker.ticks(in: owner)

            let start = ContinuousClock.now
            let lasts: Duration = .seconds(Rounds.count(14, full: 80))
            var others: [Running] = []
            var visits = 0
            var beats: [(count: Int, at: ContinuousClock.Instant)] = []
            while start.duration(to: .now) < lasts {
                if others.count == 4 {
                    // One stays all along: it sees the owner's beats for longer than it takes to count it as dead.
                    let pod = others.removeLast()
                    pod.send(SIGKILL)
                    try await pod.end()
                }
                visits += 1
                var other = owner
                other.spec.volume = volumes[1]
                other.pod = "pod-\(visits + 1)"
                other.endpoint = "\(site.root)/\(other.pod)"
                other.spec.launch = LaunchOrder(id: "launch-\(visits + 1)")
                let pod = try other.startAsFirst()
                try await eventuallyTrue("a word of \(other.pod)") { pod.errors.contains("waiting for pod pod-1") }
                others.append(pod)
                if let bytes = try? File.read(owner.folder.beat(1)), let beat = try? JSON.decode(Beat.self, from: bytes),
                    beat.count != beats.last?.count
                {
                    beats.append((beat.count, .now))
                }
            }
            #expect(try owner.folder.claims().map(\.pod) == ["pod-1"])
            for pod in others {
                pod.send(SIGKILL)
                try await pod.end()
            }
            try site.open("go")
            try await ownerPod.check()
            #expect(!ownerPod.errors.contains("waiting"))
            let ticks = try ticker.ticks(in: try owner.log)
            let spacing = zip(beats, beats.dropFirst()).map { $0.at.duration(to: $1.at) }
            print(
                """
                timing: \(visits) others in \(lasts): \(ticks.count) lines, none missing, longest pause \(ticks.longestPause); \
                \(beats.count) beats, longest pause \(spacing.max() ?? .zero)
                """)
            #expect(ticks.longestPause < .seconds(1))
            #expect(zip(beats, beats.dropFirst()).allSatisfy { $1.count == $0.count + 1 })
            #expect(spacing.allSatisfy { $0 < .seconds(8) })
        }
    }
}
