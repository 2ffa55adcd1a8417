import Shared
import Testing

/// A training that saves as many do: file by file, in place, slowly, and without a sync.
///
/// Its weights are a chain of hashes, so they are known for each step. It trains until `$SITE/finish` exists.
struct SlowSaver {
    let site: Site
    var agent: BareAgent

    /// Steps between two saves.
    static let interval = 5
    private static let script = """
        import hashlib, json, os, sys, time

        SITE = os.environ["SITE"]


        def save(folder, **files):
            os.makedirs(folder, exist_ok=True)
            for name, content in files.items():
                with open(f"{folder}/{name}", "wb") as file:
                    for start in range(0, len(content), len(content) // 8 + 1):
                        file.write(content[start:start + len(content) // 8 + 1])
                        file.flush()
                        time.sleep(0.01)
                time.sleep(0.01)


        step, weights = 0, b"one"
        if "--resume" in sys.argv:
            folder = sys.argv[sys.argv.index("--resume") + 1]
            weights = open(f"{folder}/weights", "rb").read()[:32]
            step = json.load(open(f"{folder}/state.json"))["step"]
        print(f"begins at step {step}", flush=True)
        while True:
            for _ in range(\(interval)):
                step += 1
                weights = hashlib.sha256(weights + str(step).encode()).digest()
                time.sleep(0.02)
            print(f"step {step}", flush=True)
            state = json.dumps({"step": step}).encode()
            save(f"out/checkpoint-{step}", **{"state.json": state}, weights=weights * 1000, tail=weights)
            if os.path.exists(SITE + "/finish"):
                save("final", weights=weights, **{"state.json": state})
                break
        """

    init(at site: Site, volume: String? = nil) throws {
        self.site = site
        try site.write("train.py", Self.script)
        agent = try BareAgent(
            at: site, command: .shell("exec python3 \"$SITE/train.py\" {resume}"), volume: volume)
        agent.spec.resume = .shell("--resume {checkpoint}")
        agent.spec.checkpoints = CheckpointRule(path: "out")
    }

    static func weights(at step: Int) -> [UInt8] {
        guard step > 0 else { return Array("one".utf8) }
        return (1...step).reduce(Array("one".utf8)) { SHA256Digest(of: $0 + Array(String($1).utf8)).bytes }
    }

    private struct State: Decodable { var step: Int }

    /// Whether the checkpoint in `folder` is complete.
    static func isWhole(_ folder: String, step: Int) -> Bool {
        let weights = weights(at: step)
        let state = try? JSON.decode(State.self, from: try File.read("\(folder)/state.json"))
        return state?.step == step && (try? File.read("\(folder)/tail")) == weights
            && (try? File.read("\(folder)/weights")) == Array([[UInt8]](repeating: weights, count: 1000).joined())
    }

    /// The steps of all checkpoints, whole or not.
    var steps: [Int] {
        ((try? File.list("\(out)")) ?? []).compactMap { CheckpointFolder.step(in: $0) }.sorted()
    }

    var out: String { "\(agent.folder.work)/out" }

    func checkpoint(_ step: Int) -> String { "\(out)/checkpoint-\(step)" }

    var proven: [Receipt] { get throws { try agent.folder.allReceipts() } }

    /// Checks that the training has ended with the right weights.
    func checkEnd() throws {
        let final = "\(agent.folder.work)/final"
        let step = try JSON.decode(State.self, from: try File.read("\(final)/state.json")).step
        #expect(try File.read("\(final)/weights") == Self.weights(at: step))
    }
}
