import Shared
import TestSupport
import Testing

/// A pod that will never train is recognised, explained, and billed no longer.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Emulator.isAvailable, Emulator.reason))
struct BootTests {
    @Test(
        "an image that RunPod cannot pull ends the pod, and no other one is bought",
        arguments: [
            "error pulling image: manifest unknown: manifest unknown",
            "pull access denied for me/image, repository does not exist or may require authorization",
        ])
    func noImage(_ line: String) async throws {
        try await Emulator.with(#"{"bootFailures": ["\#(line)"]}"#) { emulator in
            try emulator.config("command: echo never", resources: "{gpus: [L40S, RTX 4090], volume: {network: vol1}}")
            let run = try emulator.launch("run")
            #expect(try await run.end() == 73)
            #expect(run.errors.contains("RunPod cannot pull the image") && run.errors.contains("registry credential"))
            #expect(try await emulator.pods().map(\.isGone) == [true])
        }
    }

    @Test("a host whose driver is too old for the image is left for another one")
    func oldDriver() async throws {
        let line = "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8"
        try await Emulator.with(#"{"bootFailures": ["\#(line)"]}"#) { emulator in
            try emulator.config("command: echo trained")
            let run = try emulator.launch("run")
            try await run.check()
            #expect(run.errors.contains("the driver of the host is too old for the image"))
            #expect(run.text.contains("\ntrained\n"))
            #expect(try await emulator.pods().map(\.isGone) == [true, true])
        }
    }

    @Test("a spot pod that never gets its container is replaced after a preemption too")
    func relaunched() async throws {
        try await Emulator.with { emulator in
            try emulator.config(
                "command: 'if [ -e first ]; then echo again; else touch first; echo begun; sleep 600; fi'",
                resources: "{gpus: [L40S], spot: true, volume: {network: vol1}}")
            let run = try emulator.launch("run")
            try await run.prints("begun")
            try await emulator.set(#"{"bootFailures": ["nvidia: unsatisfied condition: cuda>=12.8"]}"#)
            try await emulator.preempt(try #require(try await emulator.pods().first?.id))
            try await run.check()
            #expect(run.text.contains("again"))
            let pods = try await emulator.pods()
            #expect(pods.count == 3 && pods.allSatisfy { $0.isGone })
        }
    }
}
