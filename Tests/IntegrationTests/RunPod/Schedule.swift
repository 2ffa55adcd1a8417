import Glibc
import Shared
import TestSupport
import Testing

/// The events of one run, drawn from a seed.
struct Schedule: CustomStringConvertible {
    enum Trouble: String, CaseIterable {
        case preempt, crash, killLauncher, otherLauncher, outage, duplicate
    }

    /// The emulator's switches, as JSON.
    let switches: String
    let spot: String
    /// Troubles, each some milliseconds after the one before.
    let troubles: [(pause: Int, trouble: Trouble)]

    var description: String {
        "spot \(spot), \(troubles.map { "\($0.trouble) after \($0.pause) ms" }), \(switches)"
    }

    init(_ random: inout SeededGenerator) {
        func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }
        func some(_ values: [String], _ counts: ClosedRange<Int>) -> String {
            let count = Int.random(in: counts, using: &random)
            return (0..<count).map { _ in "\"\(pick(values))\"" }.joined(separator: ",")
        }
        let refusals = [
            "capacity", "notOffered", "forbidden", "failed", "rateLimited", "lostAnswer", "cutAnswer", "stuck",
        ]
        switches = """
            {"podKey": "\(pick(["all", "noRead", "graphQLOnly", "none"]))", "showsProvisioning": \(pick([true, false])),
            "pull": \(pick([0.1, 0.5, 2])), "deletedStays": \(pick([0, 2])), "page": \(pick([1, 2, 1000])),
            "refusesSecrets": \(pick([true, false])), "grace": \(pick([0.3, 5])), "restart": \(pick([0.2, 1])),
            "createTrouble": [\(some(refusals, 0...2))], "spotRefusals": \(pick([0, 0, 1, 2])),
            "bootFailures": [\(some(["unsatisfied condition: cuda>=12.8"], 0...1))]}
            """
        spot = pick(["false", "true", "prefer"])
        troubles = (0..<Int.random(in: 0...3, using: &random)).map { _ in
            (Int.random(in: 200...5000, using: &random), pick(Trouble.allCases))
        }
    }

    // MARK: The run

    /// Twelve steps. It says so if another training of the run is alive.
    private static let training = """
        import glob, json, os, sys, threading, time
        own = f"alive-{os.getpid()}-{time.time_ns()}"
        def beat():
            while True:
                open(own, "w").write("x")
                time.sleep(0.05)
        threading.Thread(target=beat, daemon=True).start()
        first = int(sys.argv[2].split("-")[-1]) if len(sys.argv) > 2 else 0
        for step in range(first + 1, 13):
            print("step", step, flush=True)
            for other in glob.glob("alive-*"):
                if other != own and time.time() - os.stat(other).st_mtime < 0.2:
                    print("TWO TRAINERS", flush=True)
            time.sleep(0.25)
            if step % 3 == 0:
                os.makedirs("checkpoints/tmp-save", exist_ok=True)
                json.dump({"step": step}, open("checkpoints/tmp-save/state.json", "w"))
                os.rename("checkpoints/tmp-save", f"checkpoints/checkpoint-{step}")
        print("all done", flush=True)
        """

    private static let variables = ["LAUNCH_STALL_TIMEOUT": "6s", "LAUNCH_BACKSTOP_TIMEOUT": "3s"]

    /// Exit codes that a command may end with while there is trouble: its own ones, and that of a killed launcher.
    private static let clearCodes: Set<Int32> = [0, 69, 70, 73, 75, 130, 137, 143]

    /// Lets everything happen, then ends all troubles and asks for the run until it has finished. Returns problems.
    func perform(in emulator: Emulator) async throws -> [String] {
        try emulator.site.write("project/train.py", Self.training)
        try emulator.site.write("project/.env", "TOKEN=very-secret-value\n")
        try emulator.config(
            """
            code: {path: .}
            command: python3 train.py {resume}
            resume: --resume {checkpoint}
            checkpoints: {path: checkpoints}
            secrets: [TOKEN]
            retry: {backoff: 1s}
            """, resources: "{gpus: [L40S, RTX 4090], spot: \(spot), volume: {network: vol1}}")
        var runs = [try start(emulator, home: "first")]
        for (pause, trouble) in troubles {
            try await Task.sleep(for: .milliseconds(pause))
            try await cause(trouble, &runs, emulator)
        }
        var problems: [String] = []
        for run in runs {
            let code = try await run.end(within: .seconds(200))
            if !Self.clearCodes.contains(code) { problems.append("launch ended with \(code): \(run.errors)") }
        }
        try await emulator.set(#"{"isDown": false, "createTrouble": [], "bootFailures": [], "spotRefusals": 0}"#)
        return problems + (try await finish(emulator))
    }

    private func start(_ emulator: Emulator, home: String) throws -> Running {
        try emulator.launch("run", home: home, variables: Self.variables)
    }

    private func cause(_ trouble: Trouble, _ runs: inout [Running], _ emulator: Emulator) async throws {
        let pod = try await emulator.pods().first { $0.isBilled }?.id
        switch (trouble, pod) {
        case (.preempt, let pod?): try await emulator.preempt(pod)
        case (.crash, let pod?): try await emulator.crash(pod)
        case (.duplicate, let pod?): try await emulator.duplicate(pod)
        case (.killLauncher, _):
            runs[0].send(SIGKILL)
            runs.append(try start(emulator, home: "first"))
        case (.otherLauncher, _): runs.append(try start(emulator, home: "second"))
        case (.outage, _):
            try await emulator.set(#"{"isDown": true}"#)
            try await Task.sleep(for: .seconds(3))
            try await emulator.set(#"{"isDown": false}"#)
        case (.preempt, nil), (.crash, nil), (.duplicate, nil): break
        }
    }

    /// The user asks again on a third laptop until the run has finished.
    private func finish(_ emulator: Emulator) async throws -> [String] {
        var last = ""
        for _ in 1...4 {
            let recover = try emulator.launch("recover", home: "third", variables: Self.variables)
            try await recover.end(within: .seconds(200))
            let run = try start(emulator, home: "third")
            if try await run.end(within: .seconds(200)) == 0 { return try await check(emulator) }
            last = run.errors
        }
        return ["the run does not finish: \(last)"]
    }

    private func check(_ emulator: Emulator) async throws -> [String] {
        try await emulator.launch("ls", home: "third").end()
        try await eventuallyTrue("the end of all pods", within: .seconds(90), every: .milliseconds(200)) {
            try await emulator.pods().allSatisfy { !$0.isBilled }
        }
        let log = try emulator.site.log(of: try emulator.folder).text
        var problems: [String] = []
        if log.contains("TWO TRAINERS") { problems.append("two trainers: \(log)") }
        let count = log.split(separator: "\n").count { $0 == "all done" }
        if count != 1 { problems.append("it finished \(count) times: \(log)") }
        return problems
    }
}
