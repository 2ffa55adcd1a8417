import Glibc
import Shared
import TestSupport
import Testing

/// A very short training that shows every mistake. Its weights are a chain of hashes, so a step that is left out or
/// done twice changes its last bytes. It saves in place, and waits where the test holds it.
struct Trainer {
    let site: Site
    /// The steps of a whole training.
    static let steps = 60
    private static let script = """
        import hashlib, json, os, sys, time

        SITE = os.environ["SITE"]


        def gate(name):
            if os.path.exists(f"{SITE}/hold-{name}"):
                open(f"{SITE}/at-{name}", "w").close()
                while os.path.exists(f"{SITE}/hold-{name}"):
                    time.sleep(0.01)


        def save(folder, **files):
            os.makedirs(folder, exist_ok=True)
            for name, content in files.items():
                with open(f"{folder}/{name}", "wb") as file:
                    file.write(content)


        step, weights = 0, os.environ.get("SEED", "one").encode()
        if "--resume" in sys.argv:
            folder = sys.argv[sys.argv.index("--resume") + 1]
            weights = open(f"{folder}/weights", "rb").read()
            step = json.load(open(f"{folder}/state"))["step"]
        print(f"begins at step {step}")
        while step < \(steps):
            for _ in range(10):
                step += 1
                key = hashlib.sha256(weights + str(step).encode()).digest()
                weights = b"".join(hashlib.sha256(key + bytes([n])).digest() for n in range(256))
            print(f"step {step}")
            save(f"checkpoints/checkpoint-{step}", weights=weights, state=json.dumps({"step": step}).encode())
            gate(step)
        save("final", weights=weights)
        """

    init(at site: Site, run: String = "chain") throws {
        self.site = site
        try site.write("project/train.py", Self.script)
        try site.config(
            """
            run: \(run)
            code: {path: .}
            command: python3 train.py {resume}
            resume: --resume {checkpoint}
            checkpoints: {path: checkpoints}
            """)
    }

    /// Makes the training wait once it has saved the checkpoint of `step`.
    func hold(at step: Int) throws { try site.write("hold-\(step)", "") }

    /// Returns once the training waits at `step`.
    func isHeld(at step: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await eventuallyTrue("step \(step)", sourceLocation: sourceLocation) { site.exists("at-\(step)") }
    }

    func release(_ step: Int) throws {
        try File.remove("\(site.root)/hold-\(step)")
        try File.remove("\(site.root)/at-\(step)")
    }

    /// Runs the training undisturbed with Python alone. Returns the weights with which it ends.
    func bareWeights(seed: String = "one") async throws -> [UInt8] {
        let folder = "\(site.root)/bare-\(seed)"
        try File.makeFolders(folder)
        try await site.start(
            ["sh", "-c", "cd '\(folder)' && exec python3 '\(site.project)/train.py'"],
            environment: ["SEED": seed, "SITE": folder]
        ).check()
        return try File.read("\(folder)/final/weights")
    }

    func weights(of run: String = "chain") throws -> [UInt8] {
        try File.read(try site.folder(run).work + "/final/weights")
    }
}
