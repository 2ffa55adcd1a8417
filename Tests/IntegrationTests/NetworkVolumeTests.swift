import FoundationEssentials
import Glibc
import Shared
import TestSupport
import Testing

/// A network volume that two hosts share, over its quota, and without its data.
@Suite(
    .serialized, .timeLimit(.minutes(Rounds.count(5, full: 15))),
    .enabled(if: MooseFS.isThere, MooseFS.reason), .mooseFS)
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

    /// A checkpoint that is saved over in place is put back from its copy.
    @Test(arguments: ["last.ckpt", "final_model"]) func aFixedNameIsPutBack(_ name: String) async throws {
        try await Site.with { site in
            let saver = try OverwritingSaver(at: site, name: name, keep: 1, volume: try bed.part()[0])
            try await FixedNameRunTests.goesOnFromTheSaveBefore(saver)
        }
    }

    /// Others come on another host, wait, and go again: the owner's output and beats go on as if they were not there.
    @Test func othersDoNotDisturbTheOwner() async throws {
        try await Site.with { site in
            let volumes = try bed.part()
            let owner = try BareAgent(at: site, command: Ticker.command, volume: volumes[0])
            let ownerPod = try owner.startAsFirst()
            try await Ticker.ticks(in: owner)

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
                let beat = try? JSON.decode(Beat.self, from: try File.read(owner.folder.beatPath(1)))
                if let beat, beat.count != beats.last?.count { beats.append((beat.count, .now)) }
            }
            #expect(try owner.folder.claims().map(\.pod) == ["pod-1"])
            for pod in others {
                pod.send(SIGKILL)
                try await pod.end()
            }
            try site.open("go")
            try await ownerPod.check()
            #expect(!ownerPod.errors.contains("waiting"))
            let ticks = try Ticker.ticks(in: try owner.log)
            let spacing = zip(beats, beats.dropFirst()).map { $0.at.duration(to: $1.at) }
            print(
                """
                timing: \(visits) others in \(lasts): \(ticks.count) lines, longest pause \(ticks.longestPause); \
                \(beats.count) beats, longest pause \(spacing.max() ?? .zero)
                """)
            #expect(ticks.missing == 0)
            #expect(ticks.longestPause < .seconds(1))
            #expect(zip(beats, beats.dropFirst()).allSatisfy { $1.count == $0.count + 1 })
            #expect(spacing.allSatisfy { $0 < .seconds(8) })
        }
    }

    // MARK: Over the quota

    /// The volume takes nothing more, and says so with EDQUOT. MooseFS refuses a file that went over its quota until everybody has
    /// closed it: the log goes on in another.
    @Test func overTheQuotaTheTrainingGoesOn() async throws {
        try await Site.with { site in
            let volume = try bed.part()[0]
            let output = CountedOutput(at: site)
            let agent = try BareAgent(at: site, command: output.steadily(Trouble.much), volume: volume)
            try await Trouble(agent: agent, output: output).befalls(
                "over the quota", begin: { _ in try bed.setQuota(4 << 20, of: volume) },
                end: { try bed.setQuota(nil, of: volume) })
        }
    }

    /// There is never room again: the end is on record all the same.
    @Test func overTheQuotaTheEndIsOnRecord() async throws {
        try await Site.with { site in
            let volume = try bed.part()[0]
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    yes 'a line that fills the volume' | head -c 8000000
                    dd if=/dev/zero of=save bs=1M count=4 conv=fsync || exit 5
                    """),
                volume: volume)
            try bed.setQuota(4 << 20, of: volume)
            let pod = try agent.start()
            let code = try await pod.end()
            let record = try #require(try agent.record(1))
            #expect(code == 5)
            #expect(record.state == .ended)
            #expect(record.outcome == Outcome(.failed, exit: .code(5), message: "it failed without a new checkpoint"))
        }
    }

    // MARK: Without its data

    /// Of a chunkserver that is killed the mount asks again for minutes after it is back.
    private static let outages = Rounds.areAll ? [SIGSTOP, SIGKILL] : [SIGSTOP]
    private static let patience: Duration = .seconds(Rounds.count(60, full: 600))

    /// A chunkserver that stops keeps the log; one that is killed may lose some. The training goes on with both.
    @Test(arguments: outages) func anOutageHoldsUpNothing(signal: Int32) async throws {
        try await Site.with { site in
            let volume = try bed.part()[0]
            let output = CountedOutput(at: site)
            // Less than can wait in memory: of more some would be held up once, until the volume counts as hung.
            let agent = try BareAgent(at: site, command: output.steadily(1 << 10), volume: volume)
            try await Trouble(
                agent: agent, output: output, lasts: .seconds(Rounds.count(7, full: 20)),
                makesGap: signal == SIGSTOP ? false : nil
            ).befalls(
                "a chunkserver that gets signal \(signal)", within: Self.patience,
                begin: { _ in try bed.signalChunkserver(signal) }, end: { try bed.signalChunkserver(SIGCONT) })
        }
    }

    @Test(arguments: outages) func aPodHasLeftInTimeDuringAnOutage(signal: Int32) async throws {
        try await Site.with { site in
            let volume = try bed.part()[0]
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    "trap '' TERM; while :; do echo line; echo saved > save; sync save; sleep 60 & sleep 0.05; done"),
                volume: volume)
            let unshare = try agent.startAsFirst()
            let first = try await agent.first(unshare)
            let pod = try PodNamespace(of: first)
            try await eventuallyTrue("a training") { try agent.log.contains("line\nline\n") }
            try bed.signalChunkserver(signal)
            do {
                try await eventuallyTrue("calls that hang") { pod.tasks.contains(where: \.waitsForVolume) }
                try await pod.endsInTime("the chunkserver gone")
            } catch {
                try bed.signalChunkserver(SIGCONT)
                throw error
            }
            try bed.signalChunkserver(SIGCONT)
            #expect(try await unshare.end(within: Self.patience) == 143)
        }
    }
}
