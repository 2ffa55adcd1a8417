import FoundationEssentials
import Glibc
import Shared
import TestSupport
import Testing

/// The volume is a real MooseFS. Two hosts share it, it is over its quota, or its chunkserver is gone.
@Suite(
    .serialized, .timeLimit(.minutes(Rounds.count(5, full: 15))),
    .enabled(if: MooseFS.isAvailable, MooseFS.reason), .mooseFS)
struct NetworkVolumeTests {
    private let bed: MooseFS

    init() throws { bed = try #require(MooseFS.current) }

    // MARK: Two hosts

    @Test(
        "one of two pods on two hosts of a network volume trains and the other waits if both start at once",
        arguments: 1...Rounds.count(3, full: 50))
    func twoHosts(round: Int) async throws {
        try await Site.with { site in
            try await Twins(at: site, volumes: try bed.part()).check { try $0.startAsFirst() }
        }
    }

    @Test(
        "a superseded owner on another host of a network volume ends its training and writes nothing more",
        arguments: SupersededTests.pauses)
    func superseded(pause: Duration) async throws {
        try await Site.with { site in try await Superseded(at: site, volumes: try bed.part()).check(pause: pause) }
    }

    @Test(
        "the next start on a network volume puts back a copy if a fixed-name checkpoint is torn",
        arguments: ["last.ckpt", "final_model"])
    func copyIsPutBack(_ name: String) async throws {
        try await Site.with { site in
            let saver = try OverwritingSaver(at: site, name: name, keep: 1, volume: try bed.part()[0])
            try await FixedNameRunTests.resumesFromPreviousSave(saver)
        }
    }

    @Test("pods on another host that wait for the run delay neither its output nor its heartbeat")
    func waitingPods() async throws {
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
                    // The three before it stay. In a full run they watch for longer than the 30 s after which an
                    // unchanged heartbeat means that the owner is dead.
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

    /// The volume refuses writes with EDQUOT. MooseFS refuses a file that exceeded the quota until every process has
    /// closed it, so the log continues in another file.
    @Test("a volume over its quota does not slow the training, and the log counts the bytes that it lost")
    func quota() async throws {
        try await Site.with { site in
            let volume = try bed.part()[0]
            let output = CountedOutput(at: site)
            let agent = try BareAgent(at: site, command: output.steadily(Trouble.much), volume: volume)
            try await Trouble(agent: agent, output: output).befalls(
                "over the quota", begin: { _ in try bed.setQuota(4 << 20, of: volume) },
                end: { try bed.setQuota(nil, of: volume) })
        }
    }

    @Test("the record says how the run ended although the volume stays over its quota")
    func endOverQuota() async throws {
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

    /// Once a killed chunkserver is back, the mount takes minutes to use it again.
    private static let outages = Rounds.areAll ? [SIGSTOP, SIGKILL] : [SIGSTOP]
    private static let timeout: Duration = .seconds(Rounds.count(60, full: 600))

    /// A stopped chunkserver loses nothing. A killed one may lose bytes that it has confirmed.
    @Test(
        "a network volume whose chunkserver is gone does not slow the training, and the log counts lost bytes",
        arguments: outages
    )
    func outage(signal: Int32) async throws {
        try await Site.with { site in
            let volume = try bed.part()[0]
            let output = CountedOutput(at: site)
            // The output fits in memory. More would hold the training up once, until the volume counts as hung.
            let agent = try BareAgent(at: site, command: output.steadily(1 << 10), volume: volume)
            try await Trouble(
                agent: agent, output: output, lasts: .seconds(Rounds.count(7, full: 20)),
                makesGap: signal == SIGSTOP ? false : nil
            ).befalls(
                "a chunkserver that gets signal \(signal)", within: Self.timeout,
                begin: { _ in try bed.signalChunkserver(signal) }, end: { try bed.signalChunkserver(SIGCONT) })
        }
    }

    @Test(
        "the agent's init exits within 4.5 s of SIGTERM while the network volume's chunkserver is gone",
        arguments: outages)
    func terminateInOutage(signal: Int32) async throws {
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
            #expect(try await unshare.end(within: Self.timeout) == 143)
        }
    }
}
