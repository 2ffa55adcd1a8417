import Glibc
import HTTPClient
import Shared
import TestSupport
import Testing

/// A task that waits for a hung volume cannot be killed. Everything else must end in time.
@Suite(.serialized, .timeLimit(.minutes(4)), .enabled(if: HangingVolume.isAvailable, HangingVolume.reason))
struct HungVolumeTests {
    /// The calls that the agent and its training make on the volume all the time, by their names in FUSE.
    private static let calls = ["fsync fsyncdir", "write", "rename", "open create", "unlink", "getattr"]

    @Test("the agent's init exits within 4.5 s of SIGTERM while calls on the volume hang", arguments: calls)
    func terminate(calls: String) async throws {
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
                // A call of the training hangs, and one of the agent, which renames and removes nothing before its end.
                let serve = try #require(ProcessStat.all().first { $0.parent == first }).pid
                try await eventuallyTrue("calls that hang", within: .seconds(15)) {
                    let waiting = pod.tasks.filter(\.waitsForVolume)
                    return waiting.contains { $0.process != serve }
                        && (["rename", "unlink"].contains(calls) || waiting.contains { $0.process == serve })
                }

                try await pod.endsInTime("\(calls) hung")

                try volume.resume()
                #expect(try await unshare.end(within: .seconds(10)) == 143)
                #expect(site.processes.count == 1, "the file system's own")
            }
        }
    }

    /// The training hangs on a file system that is not the agent's volume. The pod must end, because it costs money.
    @Test("a stop ends the pod and is recorded although SIGKILL cannot end the training")
    func unkillableTraining() async throws {
        try await Site.with { site in
            try await HangingVolume.with(at: site) { data in
                try File.write(Array("data".utf8), over: "\(data.path)/set")
                let agent = try BareAgent(
                    at: site,
                    command: .exec(["python3", "-c", "print('reads', flush=True); open('\(data.path)/set').read()"]))
                try data.hang("open create")
                let pod = try agent.start()
                try await eventuallyTrue("a training that hangs") {
                    ProcessStat.descendants(of: pod.pid).flatMap { KernelTask.all(of: $0.pid) }
                        .contains(where: \.waitsForVolume)
                }
                let start = ContinuousClock.now
                let answer = try await LiveAgent(agent).ask("POST", "/v1/stop", body: Array(#"{"mode":"now"}"#.utf8))
                #expect(answer.status == 202)
                #expect(try await pod.end(within: .seconds(60)) == 130)
                print("timing: an unkillable training, left behind after \(start.duration(to: .now))")
                #expect(
                    try agent.log.hasSuffix(
                        "WARNING: some processes are still there after SIGKILL and are left behind\nEXIT_CODE=130\n"))
                #expect(try agent.record(1)?.state == .ended)
                #expect(try agent.record(1)?.outcome?.kind == .stopped)
            }
        }
    }
}
