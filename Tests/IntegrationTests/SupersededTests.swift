import Glibc
import Shared
import TestSupport
import Testing

/// An owner that was stopped in the middle of everything, while another pod took its run over.
@Suite(.serialized, .timeLimit(.minutes(2)), .enabled(if: Namespaces.areThere, Namespaces.reason))
struct SupersededTests {
    /// After a pause that the writer takes for a long one it looks before it writes; after a short one, with its next beat.
    @Test(arguments: [Duration.seconds(3), .seconds(11)])
    func itWritesNothingMoreAndItsTrainerDies(pause: Duration) async throws {
        try await Site.with { site in
            let stale = try BareAgent(
                at: site,
                command: .shell(
                    """
                    echo "started by $POD" > "$SITE/$POD"
                    until [ -e "$SITE/go" ]; do echo "line of $POD"; sleep 0.05; done
                    """))
            var first = stale
            first.spec.env = ["POD": "pod-1"]
            let stalePod = try first.startAsFirst()
            let staleInit = try await first.first(stalePod)
            try await eventuallyTrue("a training") { try first.log.contains("line of pod-1\nline of pod-1\n") }
            let tree = [staleInit] + ProcessStat.descendants(of: staleInit).map(\.pid)
            for process in tree { kill(process, SIGSTOP) }
            let stopped = ContinuousClock.now

            var second = stale
            second.pod = "pod-2"
            second.spec.env = ["POD": "pod-2"]
            second.spec.launch = LaunchOrder(id: "launch-2", supersedes: ["pod-1"])
            let pod = try site.start(
                try #require(Namespaces.unshare) + ["--mount-proc", Programs.agent],
                environment: try second.environment().merging(["POD_AGENT_ENDPOINT_FILE": "\(site.root)/two"]) { $1 })
            try await eventuallyTrue("a second training") { site.exists("pod-2") }
            #expect(stopped.duration(to: .now) < .seconds(10), "a pod proven dead is not waited for")
            #expect(try second.folder.claims().map(\.pod) == ["pod-1", "pod-2"])
            try await eventuallyTrue("the pause", within: .seconds(15)) { stopped.duration(to: .now) > pause }
            let before = try written(by: first)
            #expect(before.count >= 3, "a record, a beat, a segment: \(before.keys)")

            let start = ContinuousClock.now
            for process in tree.reversed() { kill(process, SIGCONT) }
            try await eventuallyTrue("the end of the stale trainer", within: .seconds(8), every: .milliseconds(2)) {
                tree.allSatisfy { (ProcessStat(pid: $0)?.state ?? "Z") == "Z" }
            }
            let gone = start.duration(to: .now)
            print("timing: SIGCONT of a superseded owner to the end of its tree \(gone)")
            #expect(gone < .seconds(6.5))
            _ = try await stalePod.end()
            if pause > .seconds(10) { #expect(try written(by: first) == before) }
            let after = try written(by: first)

            try site.open("go")
            try await pod.check()
            #expect(try second.record(2)?.outcome?.kind == .finished)
            #expect(try written(by: first) == after)
            // What it wrote in between is not part of the stream.
            let log = try second.log
            let header = try #require(log.firstRange(of: " attempt 2 pod pod-2 ======\n"))
            let isClean = !log[header.upperBound...].contains("line of pod-1")
            #expect(isClean)
        }
    }

    /// All files of the first attempt with their bytes, whoever else writes beside them.
    private func written(by agent: BareAgent) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for folder in [agent.folder.attempts, agent.folder.logs] {
            for name in try File.list(folder) where name.hasPrefix("0001.") || name.hasSuffix("-a0001.log") {
                files[name] = try File.read("\(folder)/\(name)")
            }
        }
        return files
    }
}
