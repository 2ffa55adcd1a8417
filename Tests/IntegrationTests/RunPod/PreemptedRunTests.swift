import Glibc
import Shared
import TestSupport
import Testing

/// RunPod takes spot pods away, and their runs continue.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Emulator.isAvailable, Emulator.reason))
struct PreemptedRunTests {
    /// A training that waits for ever on its first pod, and ends on the second one.
    private static let training =
        "command: 'if [ -e first ]; then echo again; else touch first; echo begun; sleep 600; fi'"
    private static let spot = "{gpus: [L40S], spot: true, volume: {network: vol1}}"

    @Test("a followed spot run whose pod is taken away continues on a new pod, with one log")
    func followed() async throws {
        try await Emulator.with { emulator in
            try emulator.config(Self.training, resources: Self.spot)
            let run = try emulator.launch("run")
            try await run.prints("begun")
            try await emulator.set(#"{"spotRefusals": 1}"#)
            try await emulator.preempt(try #require(try await emulator.pods().first?.id))
            try await run.check()
            #expect(run.errors.contains("was taken away; starting \"rented\" again"))
            #expect(run.text.contains("again"))
            #expect(run.output == (try emulator.site.log(of: try emulator.folder)))
            let pods = try await emulator.pods()
            #expect(pods.count == 2 && pods.allSatisfy { $0.isGone && !$0.isBilled })
            #expect(pods.allSatisfy { $0.name.hasSuffix(".spot") })
        }
    }

    @Test("recover on another laptop starts a run again that nobody followed, once")
    func recovered() async throws {
        try await Emulator.with { emulator in
            try emulator.config(Self.training, resources: Self.spot)
            let run = try emulator.launch("run")
            try await run.prints("begun")
            run.send(SIGKILL)
            try await run.end()
            try await emulator.launch("recover", home: "other").check()
            #expect(try await emulator.pods().count == 1)
            try await emulator.preempt(try #require(try await emulator.pods().first?.id))
            try await emulator.launch("recover", home: "other").check()
            #expect(try await emulator.pods().count == 2)
            try await emulator.launch("recover", home: "third").check()
            #expect(try await emulator.pods().count == 2)
            try await eventuallyTrue("the end of the pod") { try await emulator.pods().allSatisfy { $0.isGone } }
            #expect(try emulator.site.log(of: try emulator.folder).text.contains("again"))
        }
    }

    @Test("a run that its user stopped stays stopped, on every laptop")
    func stopped() async throws {
        try await Emulator.with { emulator in
            try emulator.config(Self.training, resources: "{gpus: [L40S], spot: true, volume: {size: 10}}")
            let run = try emulator.launch("run")
            try await run.prints("begun")
            try await emulator.launch("stop", "--now").check()
            #expect(try await run.end() == 130)
            let pods = try await emulator.pods()
            #expect(pods.map(\.status) == ["EXITED"] && pods[0].name.hasSuffix(".spot.over"))
            try await emulator.launch("recover", home: "other").check()
            #expect(try await emulator.pods().map(\.status) == ["EXITED"])
        }
    }

    @Test("an on-demand pod that was stopped from outside is not started again")
    func onDemand() async throws {
        try await Emulator.with { emulator in
            try emulator.config(Self.training)
            let run = try emulator.launch("run")
            try await run.prints("begun")
            try await emulator.preempt(try #require(try await emulator.pods().first?.id))
            let code = try await run.end()
            #expect(code == 70 || code == 143)
            try await emulator.launch("recover").check()
            #expect(try await emulator.pods().map(\.status) == ["EXITED"])
        }
    }
}
