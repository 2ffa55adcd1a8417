import Glibc
import Shared
import TestSupport
import Testing

/// The bill of a rented pod ends, whatever the pod's key may do and whoever watches.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Emulator.isAvailable, Emulator.reason))
struct BillTests {
    private static let short = "code: {path: .}\ncommand: echo done"

    @Test("launch stops a pod that its agent could not end")
    func backstop() async throws {
        try await Emulator.with(#"{"podKey": "none"}"#) { emulator in
            try emulator.config(Self.short)
            let run = try emulator.launch("run", variables: ["LAUNCH_BACKSTOP_TIMEOUT": "3s"])
            try await run.check()
            #expect(run.errors.contains("the agent could not end pod"))
            #expect(try await emulator.pods().map(\.isBilled) == [false])
        }
    }

    @Test("recover stops a pod that its agent could not end, and that no command follows")
    func backstopOfRecover() async throws {
        try await Emulator.with(#"{"podKey": "none"}"#) { emulator in
            try emulator.config("command: 'echo begun; sleep 1'")
            let run = try emulator.launch("run", "--detach")
            try await run.check()
            try await eventuallyTrue("the end of the training") {
                try emulator.folder.readRecord(1)?.state == .ended
            }
            let recover = try emulator.launch("recover", home: "other", variables: ["LAUNCH_BACKSTOP_TIMEOUT": "3s"])
            try await recover.check()
            #expect(try await emulator.pods().map(\.isBilled) == [false])
        }
    }

    @Test("recover ends a pod that will never answer, and that no command watches")
    func uselessPod() async throws {
        try await Emulator.with(#"{"breaksContainer": true, "restart": 0.1}"#) { emulator in
            try emulator.config("command: echo never", resources: "{gpus: [L40S], spot: true, volume: {network: vol1}}")
            let run = try emulator.launch("run")
            try await eventuallyTrue("a loop of starts") {
                try await emulator.pods().first.map { $0.starts > 3 } ?? false
            }
            run.send(SIGKILL)
            try await run.end()
            for _ in 1...2 {
                try await emulator.launch("recover", variables: ["LAUNCH_STALL_TIMEOUT": "1s"]).check()
                #expect(try await emulator.pods().map(\.isGone) == [true])
            }
        }
    }

    @Test("a stop key of the user ends the pod when the pod's own key may do nothing, and the training never sees it")
    func stopKey() async throws {
        try await Emulator.with(#"{"podKey": "none"}"#) { emulator in
            try emulator.site.write(
                "project/.env", "POD_AGENT_STOP_KEY=\(try #require(emulator.variables["RUNPOD_API_KEY"]))\n")
            try emulator.config("secrets: [POD_AGENT_STOP_KEY]\ncommand: 'echo begun; env; sleep 1'")
            let run = try emulator.launch("run")
            try await run.prints("begun")
            run.send(SIGKILL)
            try await run.end()
            try await eventuallyTrue("the end of the pod") { try await emulator.pods().allSatisfy { $0.isGone } }
            let log = try emulator.site.log(of: try emulator.folder).text
            #expect(!log.contains("STOP_KEY=") && !log.contains("RUNPOD_API_KEY="))
        }
    }

    @Test("the agent alone ends its pod after the API was down for a while")
    func outage() async throws {
        try await Emulator.with { emulator in
            try emulator.config("command: 'echo begun; sleep 2'")
            let run = try emulator.launch("run")
            try await run.prints("begun")
            run.send(SIGKILL)
            try await run.end()
            try await emulator.set(#"{"isDown": true}"#)
            try await eventuallyTrue("the end of the training") {
                try emulator.folder.readRecord(1)?.state == .ended
            }
            try await Task.sleep(for: .seconds(12))
            #expect(try await emulator.pods().map(\.isBilled) == [true])
            try await emulator.set(#"{"isDown": false}"#)
            try await eventuallyTrue("the end of the pod", within: .seconds(60)) {
                try await emulator.pods().allSatisfy { $0.isGone }
            }
        }
    }

    @Test("limits.cost holds over the pods of a run")
    func cost() async throws {
        try await Emulator.with { emulator in
            try emulator.config(
                "command: 'echo begun; sleep 600'\nlimits: {cost: 0.0015}",
                resources: "{gpus: [L40S], spot: true, volume: {network: vol1}}")
            let run = try emulator.launch("run")
            try await run.prints("begun")
            try await emulator.preempt(try #require(try await emulator.pods().first?.id))
            #expect(try await run.end() != 0)
            #expect(run.errors.contains("all attempts together cost limits.cost"))
            let bill = try await emulator.pods().reduce(0) { $0 + $1.bill }
            // The pods end some seconds after their trainings.
            #expect(bill > 0.0007 && bill < 0.0035, "\(bill): \(run.errors)")
            #expect(try await emulator.pods().count == 2)
        }
    }

    @Test("retry.preempted limits how often a run is started again")
    func preempted() async throws {
        try await Emulator.with { emulator in
            try emulator.config(
                "command: 'echo begun; sleep 600'\nretry: {preempted: 1}",
                resources: "{gpus: [L40S], spot: true, volume: {network: vol1}}")
            let run = try emulator.launch("run")
            try await run.prints("begun")
            try await emulator.preempt(try #require(try await emulator.pods().first?.id))
            try await eventuallyTrue("a second attempt", within: .seconds(60)) {
                try emulator.folder.readRecord(2)?.state == .training
            }
            try await emulator.preempt(try #require(try await emulator.pods().first?.id))
            let code = try await run.end()
            #expect(code == 143, "\(run.errors)")
            #expect(run.errors.contains("is not started again: its pods were taken away 2 times"))
            try await emulator.launch("recover").check()
            let pods = try await emulator.pods()
            #expect(pods.count == 2 && pods.allSatisfy { !$0.isBilled })
        }
    }
}
