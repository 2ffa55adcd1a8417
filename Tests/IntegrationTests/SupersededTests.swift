import Glibc
import Shared
import TestSupport
import Testing

/// Another pod takes the run over while all processes of its owner are stopped.
@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: Namespaces.areAvailable, Namespaces.reason))
struct SupersededTests {
    /// After the long pause the owner checks for a higher claim before it writes, after the short one with its next
    /// heartbeat.
    static let pauses: [Duration] = [.seconds(3), .seconds(11)]

    @Test("a superseded owner ends its training and writes nothing more once it is resumed", arguments: pauses)
    func superseded(pause: Duration) async throws {
        try await Site.with { site in
            try await Superseded(at: site, volumes: ["\(site.home)/volume", "\(site.home)/volume"]).check(pause: pause)
        }
    }
}

/// Two pods, of which the second takes the run from the first. `volumes` are their paths of the same volume.
struct Superseded {
    let site: Site
    private var first: BareAgent
    private var second: BareAgent

    init(at site: Site, volumes: [String]) throws {
        self.site = site
        first = try BareAgent(
            at: site,
            command: .shell(
                """
                echo "started by $POD" > "$SITE/$POD"
                until [ -e "$SITE/go" ]; do echo "line of $POD"; sleep 0.05; done
                """), volume: volumes[0])
        second = first
        second.spec.volume = volumes[1]
        second.endpoint = "\(site.root)/two"
        second.pod = "pod-2"
        second.spec.launch = LaunchOrder(id: "launch-2", supersedes: ["pod-1"])
        first.spec.env = ["POD": "pod-1"]
        second.spec.env = ["POD": "pod-2"]
    }

    /// `pause` is how long the owner is stopped.
    func check(pause: Duration) async throws {
        let stalePod = try first.startAsFirst()
        let staleInit = try await first.first(stalePod)
        try await eventuallyTrue("a training") { try first.log.contains("line of pod-1\nline of pod-1\n") }
        let tree = [staleInit] + ProcessStat.descendants(of: staleInit).map(\.pid)
        for process in tree { kill(process, SIGSTOP) }
        let stopped = ContinuousClock.now

        let pod = try second.startAsFirst()
        try await eventuallyTrue("a second training") { site.exists("pod-2") }
        #expect(stopped.duration(to: .now) < .seconds(10), "a pod proven dead is not waited for")
        #expect(try second.folder.claims().map(\.pod) == ["pod-1", "pod-2"])
        try await eventuallyTrue("the pause", within: .seconds(15)) { stopped.duration(to: .now) > pause }
        let before = try written()
        #expect(before.count >= 3, "a record, a beat, a segment: \(before.keys)")

        let start = ContinuousClock.now
        for process in tree.reversed() { kill(process, SIGCONT) }
        try await eventuallyTrue("the end of the stale trainer", within: .seconds(8), every: .milliseconds(2)) {
            !tree.contains(where: ProcessStat.isRunning)
        }
        let gone = start.duration(to: .now)
        print("timing: SIGCONT of a superseded owner to the end of its tree \(gone)")
        #expect(gone < .seconds(6.5))
        _ = try await stalePod.end()
        if pause > .seconds(10) { #expect(try written() == before) }
        let after = try written()

        try site.open("go")
        try await pod.check()
        #expect(try second.record(2)?.outcome?.kind == .finished)
        #expect(try written() == after)
        // Bytes that the first pod wrote after the second claim are not part of the stream.
        let log = try second.log
        let header = try #require(log.firstRange(of: " attempt 2 pod pod-2 ======\n"))
        let isClean = !log[header.upperBound...].contains("line of pod-1")
        #expect(isClean)
    }

    /// The bytes of all files of the first attempt, by name.
    private func written() throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for folder in [second.folder.attempts, second.folder.logs] {
            for name in try File.list(folder) where name.hasPrefix("0001.") || name.hasSuffix("-a0001.log") {
                files[name] = try File.read("\(folder)/\(name)")
            }
        }
        return files
    }
}
