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

    /// Others come on another host, wait, and go again: the owner's output and beats go on as if they were not there.
    @Test func othersDoNotDisturbTheOwner() async throws {
        try await Site.with { site in
            let volumes = try bed.part()
            let ticker = Ticker(at: site)
            let owner = try BareAgent(at: site, command: ticker.command(), volume: volumes[0])
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
                let beat = try? JSON.decode(Beat.self, from: try File.read(owner.folder.beat(1)))
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
            let ticks = try ticker.ticks(in: try owner.log)
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

    /// The volume takes nothing more, and says so with EDQUOT: the training goes on, and the agent tells its end.
    @Test func overTheQuotaTheTrainingGoesOn() async throws {
        try await Site.with { site in
            let volume = try bed.part()[0]
            let ticker = Ticker(at: site)
            // More than the quota and what the agent keeps in memory.
            let agent = try BareAgent(at: site, command: ticker.command(flood: 24 << 20), volume: volume)
            try bed.setQuota(4 << 20, of: volume)
            let pod = try agent.start()
            try await eventuallyTrue("the end of the flood", within: .seconds(60)) { site.exists("flooded") }
            let before = ticker.now
            try await eventuallyTrue("ticks of a training over its quota") { ticker.now > before + 100 }
            try bed.setQuota(nil, of: volume)
            let after = ticker.now
            try await eventuallyTrue("ticks with room again") { ticker.now > after + 100 }
            try site.open("go")
            try await pod.check()
            print("timing: over the quota, longest pause of the training \(ticker.longestPause)")
            #expect(ticker.longestPause < .milliseconds(500))
            #expect(try agent.record(1)?.outcome?.kind == .finished)
            #expect(try agent.record(1)?.state == .ended)
            // MooseFS refuses a file that went over its quota until everybody has closed it: the log goes on in another.
            let log = try agent.log
            let gaps = log.split(separator: "\n").filter { $0.hasPrefix("LOG GAP: ") }
            let told = gaps.compactMap { Int($0.dropFirst(9).prefix { $0.isNumber }) }.reduce(0, +)
            let printed = 24 << 20
            let kept = log.utf8.count { $0 == UInt8(ascii: "x") } * 1024 / 1023
            print("over the quota: \(kept) of \(printed) bytes are kept, \(told) told to be lost: \(gaps)")
            #expect(kept + told >= printed - 1024)
            #expect(told == 0 ? kept >= printed : kept < printed)
            #expect(log.hasSuffix("EXIT_CODE=0\n"))
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
            let ticker = Ticker(at: site)
            let agent = try BareAgent(at: site, command: ticker.command(), volume: volume)
            let pod = try agent.startAsFirst()
            try await ticker.ticks(in: agent)
            let outage: Duration = .seconds(Rounds.count(7, full: 20))
            let before = ticker.now
            try bed.signalChunkserver(signal)
            try await Task.sleep(for: outage)
            try bed.signalChunkserver(SIGCONT)
            let during = ticker.now
            try await eventuallyTrue("ticks after the outage") { ticker.now > during + 100 }
            try site.open("go")
            #expect(try await pod.end(within: Self.patience) == 0)
            print("timing: \(outage) without data: longest pause of the training \(ticker.longestPause)")
            #expect(during - before > 50 * Int(outage.components.seconds))
            #expect(ticker.longestPause < .milliseconds(500))
            #expect(try agent.record(1)?.outcome?.kind == .finished)
            if signal == SIGSTOP {
                let ticks = try ticker.ticks(in: try agent.log)
                #expect(ticks.missing == 0)
                #expect(ticks.count == ticker.now)
            }
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
