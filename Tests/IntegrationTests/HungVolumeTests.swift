import Glibc
import Shared
import TestSupport
import Testing

/// A pod that is taken away while its volume hangs: who waits for the volume cannot be killed, and all else ends in time.
@Suite(.serialized, .timeLimit(.minutes(4)), .enabled(if: HangingVolume.isThere, HangingVolume.reason))
struct HungVolumeTests {
    /// What the agent and its training do on the volume all along, by the names that FUSE has for it.
    private static let calls = ["fsync fsyncdir", "write", "rename", "open create", "unlink", "getattr"]

    @Test(arguments: calls) func thePodHasLeftInTime(calls: String) async throws {
        try await Site.with { site in
            try await HangingVolume.with(at: site) { volume in
                let agent = try BareAgent(
                    at: site,
                    command: .shell(
                        """
                        trap '' TERM
                        (trap '' TERM; while :; do sleep 60 & sleep 0.05; done) &
                        while :; do
                            echo line; echo saved > save; sync save; mv save saved; stat saved > save; rm saved; sleep 0.05
                        done
                        """), volume: volume.path)
                let unshare = try agent.startAsFirst()
                let first = try await agent.first(unshare)
                let pod = try PodNamespace(of: first)
                try await eventuallyTrue("a training") { try agent.log.contains("line\nline\n") }
                try volume.hang(calls)
                // One of the training's and one of the agent's, which renames and removes nothing before its end.
                let serve = try #require(ProcessStat.all().first { $0.parent == first }).pid
                try await eventuallyTrue("calls that hang", within: .seconds(15)) {
                    let waiting = pod.tasks.filter(\.waitsForVolume)
                    return waiting.contains { $0.process != serve }
                        && (["rename", "unlink"].contains(calls) || waiting.contains { $0.process == serve })
                }

                try await pod.endsInTime("\(calls) hung")

                try volume.goOn()
                #expect(try await unshare.end(within: .seconds(10)) == 143)
                #expect(site.processes.count == 1, "the file system's own")
            }
        }
    }
}
