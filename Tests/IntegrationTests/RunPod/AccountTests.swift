import Shared
import TestSupport
import Testing

/// The commands about an account that need no run, and those about what it costs.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Emulator.isAvailable, Emulator.reason))
struct AccountTests {
    @Test("gpus lists what can be rented with its prices")
    func gpus() async throws {
        try await Emulator.with(#"{"soldOut": ["NVIDIA A40"]}"#) { emulator in
            let list = try emulator.launch("gpus")
            try await list.check()
            #expect(list.text.contains("L40S      48 GB   secure     1.09 USD  0.55 USD  high   EU-RO-1"))
            #expect(list.text.contains("none"))
            let json = try emulator.launch("gpus", "--count", "2", "--json")
            try await json.check()
            #expect(json.text.contains("\"price\" : 2.18"))
        }
    }

    @Test("volumes are listed and created, and a run on an unknown one is refused before it costs anything")
    func volumes() async throws {
        try await Emulator.with { emulator in
            let create = try emulator.launch(
                "volumes", "create", "data", "--size", "20", "--datacenter", "US-KS-2", "--json")
            try await create.check()
            #expect(create.text.contains("\"name\" : \"data\""))
            let list = try emulator.launch("volumes")
            try await list.check()
            #expect(list.text.contains("vol1") && list.text.contains("first") && list.text.contains("data"))
            try emulator.config("command: x", resources: "{volume: {network: none}}")
            let run = try emulator.launch("run")
            #expect(try await run.end() == 78)
            #expect(run.errors.contains("RunPod has no network volume \"none\""))
            #expect(try await emulator.pods().isEmpty)
        }
    }

    @Test("doctor names what is wrong with the key, the balance and the config, each with a fix")
    func doctor() async throws {
        try await Emulator.with { emulator in
            try emulator.config("command: x")
            let good = try emulator.launch("doctor")
            try await good.check()
            #expect(good.text.contains("good: volume: \"first\", 100 GB in EU-RO-1"))
            try await emulator.set(#"{"balance": 0.2, "refusesSecrets": true}"#)
            try emulator.config("command: x", resources: "{gpus: [L40S], max_price: 0.10, volume: {network: none}}")
            let bad = try emulator.launch("doctor", "--json")
            #expect(try await bad.end() == 69)
            for subject in ["balance", "secrets", "volume", "GPUs"] {
                #expect(bad.text.contains("\"subject\" : \"\(subject)\""))
            }
            let noKey = try emulator.launch("doctor", variables: ["RUNPOD_API_KEY": "wrong"])
            #expect(try await noKey.end() == 69)
            #expect(noKey.text.contains("bad: key") && noKey.text.contains("fix: set RUNPOD_API_KEY"))
        }
    }

    @Test("a stopped pod with a disk of its own is listed with its price, and deleted when its user wants that")
    func stoppedPod() async throws {
        try await Emulator.with { emulator in
            try emulator.config("command: echo done", resources: "{gpus: [L40S], volume: {size: 20}}")
            let run = try emulator.launch("run")
            try await run.check()
            #expect(run.errors.contains("launch: rented 1 × L40S, secure for 1.09 USD an hour"))
            #expect(run.errors.contains("the credit of 25.00 USD lasts for 22 h"))
            #expect(try await emulator.pods().map(\.status) == ["EXITED"])
            let list = try emulator.launch("ls")
            try await list.check()
            #expect(list.errors.contains("costs 4.00 USD a month"))
            try await emulator.launch("stop", "--terminate", home: "other").check()
            #expect(try await emulator.pods().map(\.isGone) == [true])
        }
    }

    @Test("a list and a followed run ask RunPod rarely")
    func rareRequests() async throws {
        try await Emulator.with { emulator in
            try emulator.config("command: 'echo begun; sleep 600'")
            let run = try emulator.launch("run")
            try await run.prints("begun")
            let started = try emulator.requests()
            try await emulator.launch("ls", home: "other").check()
            #expect(try emulator.requests() - started <= 2)
            let listed = try emulator.requests()
            try await Task.sleep(for: .seconds(8))
            // A followed run reads the list once a minute, and RunPod allows 60 requests in a minute at the least.
            #expect(try emulator.requests() - listed <= 2)
            try await emulator.launch("stop", "--now").check()
            try await run.end()
        }
    }

    @Test("ssh leads into the pod, and the dry run shows the create with secrets by name only")
    func shellAndPreview() async throws {
        try await Emulator.with { emulator in
            try emulator.site.write("project/.env", "TOKEN=very-secret-value\n")
            try emulator.config("secrets: [TOKEN]\ncommand: 'echo begun; sleep 600'")
            let preview = try emulator.launch("run", "--dry-run")
            try await preview.check()
            #expect(preview.text.contains("RUNPOD_SECRET_launch_rented_dry-run_TOKEN"))
            #expect(!preview.text.contains("very-secret-value"))
            #expect(try await emulator.pods().isEmpty)
            let run = try emulator.launch("run")
            try await run.prints("begun")
            let shell = try emulator.launch("ssh", "--json")
            try await shell.check()
            #expect(shell.text.contains("@ssh.runpod.io\""))
            try await emulator.launch("stop", "--now").check()
            #expect(try await run.end() == 130)
        }
    }
}
