import Shared
import TestSupport
import Testing

/// `launch run` rents a pod, trains and follows, and the pod's bill ends.
@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: Emulator.isAvailable, Emulator.reason))
struct RentedRunTests {
    private static let training = """
        code: {path: .}
        command: python3 train.py {resume}
        resume: --resume {checkpoint}
        checkpoints: {path: checkpoints}
        secrets: [TOKEN]
        """

    private func write(_ emulator: Emulator) throws {
        try emulator.site.write(
            "project/train.py",
            """
            import json, os, sys, time
            print("token", os.environ["TOKEN"][::-1] == "eulav-terces-yrev", flush=True)
            print("key", "RUNPOD_API_KEY" in os.environ, flush=True)
            first = int(sys.argv[2].split("-")[-1]) if len(sys.argv) > 2 else 0
            for step in range(first + 1, first + 7):
                print("step", step, flush=True)
                time.sleep(0.1)
                if step % 3 == 0:
                    os.makedirs("checkpoints/tmp-save")
                    json.dump({"step": step}, open("checkpoints/tmp-save/state.json", "w"))
                    os.rename("checkpoints/tmp-save", f"checkpoints/checkpoint-{step}")
            print("done", flush=True)
            """)
        try emulator.site.write("project/.env", "TOKEN=very-secret-value\n")
        try emulator.config(Self.training)
    }

    @Test("a run on a rented pod is followed byte by byte, and the pod is gone at its end")
    func trains() async throws {
        try await Emulator.with { emulator in
            try write(emulator)
            let run = try emulator.launch("run")
            try await run.check()
            #expect(run.text.contains("token True\nkey False\n") && run.text.contains("\ndone\n"))
            #expect(run.output == (try emulator.site.log(of: try emulator.folder)))
            #expect(run.errors.contains("== rented: finished"))
            let pods = try await emulator.pods()
            let pod = try #require(pods.first)
            #expect(pods.count == 1 && pod.isGone && !pod.isBilled && pod.bill > 0)
            #expect(!pod.env.values.contains { $0.contains("very-secret-value") })
            #expect(try await emulator.secrets() == #"{"secrets":[]}"#)
            #expect(try emulator.folder.allReceipts().contains { $0.step == 6 })
        }
    }

    @Test("a second launch resumes from the newest checkpoint with the results of the first")
    func resumes() async throws {
        try await Emulator.with { emulator in
            try write(emulator)
            try await emulator.launch("run").check()
            try emulator.config(Self.training + "\nenv: {AGAIN: yes}")
            let second = try emulator.launch("run")
            try await second.check()
            #expect(second.text.contains("RESUMING FROM: /workspace/runs/rented/work/checkpoints/checkpoint-6"))
            #expect(try await emulator.pods().allSatisfy { $0.isGone })
        }
    }

    @Test(
        "a lost or damaged answer to the purchase leaves one pod that trains", arguments: ["lostAnswer", "cutAnswer"])
    func lostAnswer(_ trouble: String) async throws {
        try await Emulator.with(#"{"createTrouble": ["\#(trouble)"]}"#) { emulator in
            try write(emulator)
            try await emulator.launch("run").check()
            let pods = try await emulator.pods()
            #expect(pods.count == 1 && pods[0].isGone)
        }
    }

    @Test("a kind of GPU that is not free is passed over for the next one in the config")
    func nextKind() async throws {
        try await Emulator.with(#"{"createTrouble": ["capacity"]}"#) { emulator in
            try write(emulator)
            try emulator.config(
                Self.training, resources: "{gpus: [L40S, RTX 4090], volume: {network: vol1}}")
            let run = try emulator.launch("run")
            try await run.check()
            #expect(run.errors.contains("1 × L40S, secure: no machine is free"))
            #expect(try await emulator.pods().map(\.gpu.id) == ["NVIDIA GeForce RTX 4090"])
        }
    }

    @Test("without credit nothing is bought, and launch says what is missing")
    func noCredit() async throws {
        try await Emulator.with(#"{"balance": 0.1}"#) { emulator in
            try write(emulator)
            let run = try emulator.launch("run")
            #expect(try await run.end() == 69)
            #expect(run.errors.contains("balance is too low") && run.errors.contains("hint: add credit"))
            #expect(try await emulator.pods().isEmpty)
        }
    }

    @Test("the pod ends whatever its own key may do", arguments: ["all", "noRead", "graphQLOnly"])
    func podKey(_ mode: String) async throws {
        try await Emulator.with(#"{"podKey": "\#(mode)"}"#) { emulator in
            try write(emulator)
            try await emulator.launch("run").check()
            let pods = try await emulator.pods()
            #expect(pods.count == 1 && pods[0].isGone)
        }
    }

    @Test("another laptop with the same key lists, follows and stops the run")
    func anotherLaptop() async throws {
        try await Emulator.with { emulator in
            try emulator.config("command: 'echo begun; sleep 600'")
            let first = try emulator.launch("run")
            try await first.prints("begun")
            let list = try emulator.launch("ls", home: "other")
            try await list.check()
            #expect(list.text.contains("rented  training"))
            let follower = try emulator.launch("attach", home: "other")
            try await follower.prints("begun")
            let stop = try emulator.launch("stop", "--now", home: "other")
            try await stop.check()
            #expect(stop.errors.contains("== rented: stopped"))
            #expect(try await first.end() == 130)
            #expect(try await follower.end() == 130)
            try await eventuallyTrue("the end of the pod") { try await emulator.pods().allSatisfy { !$0.isBilled } }
        }
    }

    @Test("a container that dies is started again by RunPod, and the run resumes in it")
    func restarted() async throws {
        try await Emulator.with { emulator in
            try emulator.config(
                "command: 'if [ -e first ]; then echo again; else touch first; echo begun; sleep 600; fi'")
            let run = try emulator.launch("run")
            try await run.prints("begun")
            try await emulator.crash(try #require(try await emulator.pods().first?.id))
            try await run.check()
            #expect(run.text.contains("again"))
            #expect(run.output == (try emulator.site.log(of: try emulator.folder)))
            let pods = try await emulator.pods()
            #expect(pods.count == 1 && pods[0].starts == 2 && pods[0].isGone)
        }
    }

    @Test("a pod that never gets a container is ended, and the next one trains")
    func stuck() async throws {
        try await Emulator.with(#"{"createTrouble": ["stuck"]}"#) { emulator in
            try emulator.config("command: echo trained")
            let run = try emulator.launch("run", variables: ["LAUNCH_STALL_TIMEOUT": "4s"])
            try await run.check()
            #expect(run.errors.contains("has made no progress for") && run.errors.contains("was ended"))
            #expect(run.text.contains("\ntrained\n"))
            #expect(try await emulator.pods().map(\.isGone) == [true, true])
        }
    }

    @Test("pods that never get a container are not bought without end")
    func stuckAgain() async throws {
        try await Emulator.with(#"{"createTrouble": ["stuck", "stuck", "stuck", "stuck"]}"#) { emulator in
            try emulator.config("command: echo never")
            let run = try emulator.launch("run", variables: ["LAUNCH_STALL_TIMEOUT": "2s"])
            #expect(try await run.end() == 73)
            #expect(try await emulator.pods().map(\.isGone) == [true, true, true])
        }
    }

    @Test("a container that ends again and again is recognised, and its pod ended")
    func restartLoop() async throws {
        try await Emulator.with(#"{"restart": 0.1, "breaksContainer": true}"#) { emulator in
            try emulator.config("command: echo never")
            let run = try emulator.launch("run")
            #expect(try await run.end() == 73)
            #expect(run.errors.contains("RunPod starts it again and again"))
            #expect(try await emulator.pods().map(\.isGone) == [true])
        }
    }
}
