import Glibc
import Shared
import TestSupport
import Testing

/// A run whose pod is gone is read through a pod without a GPU, which ends.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Emulator.isAvailable, Emulator.reason))
struct VolumePodTests {
    private static let training = "command: 'echo line one; sleep 1; echo line two'"

    @Test("log, status and checkpoints of a run whose pod is gone are read through a pod that is deleted after")
    func reads() async throws {
        try await Emulator.with { emulator in
            try emulator.config(Self.training + "\ncheckpoints: {path: out}")
            let run = try emulator.launch("run")
            try await run.prints("line one")
            run.send(SIGKILL)
            try await run.end()
            try await eventuallyTrue("the end of the pod") { try await emulator.pods().allSatisfy { $0.isGone } }
            let logs = try emulator.launch("logs", "--rent")
            try await logs.check()
            #expect(logs.output == (try emulator.site.log(of: try emulator.folder)))
            #expect(logs.errors.contains("reading volume vol1 through a Compute-Optimized pod for 0.0600 USD an hour"))
            let status = try emulator.launch("status", "--rent")
            try await status.check()
            #expect(status.text.contains("finished"))
            try await emulator.launch("checkpoints", "--rent").check()
            let pods = try await emulator.pods()
            #expect(pods.count == 4 && pods.allSatisfy { $0.isGone && !$0.isBilled })
            // Without the option nothing is rented.
            try await emulator.launch("status").check()
            #expect(try await emulator.pods().count == 4)
        }
    }
}
