import Shared

/// A training that overwrites its only checkpoint in place when `$SITE/save` exists. If `$SITE/half` exists, it stops
/// in the middle of that.
///
/// It knows nothing of the agent: it loads the checkpoint from its fixed place, and fails if that is not whole. It
/// trains until `$SITE/finish` exists.
struct OverwritingSaver {
    /// The name of the checkpoint: `last.ckpt` is one file, `final_model` a folder.
    let name: String
    var agent: BareAgent

    private static let script = """
        import hashlib, io, json, os, sys, time, zipfile

        SITE, NAME, MEGABYTES = os.environ["SITE"], sys.argv[1], int(sys.argv[2])
        PLACE = f"out/{NAME}"


        def write(path, content, stops=False):
            with open(path, "wb") as file:
                file.write(content[:len(content) // 2])
                file.flush()
                if stops:
                    open(f"{SITE}/stands", "w").close()
                    time.sleep(600)
                file.write(content[len(content) // 2:])


        def archive(step, weights):
            content = io.BytesIO()
            with zipfile.ZipFile(content, "w") as file:
                file.writestr("last/weights", weights)
                file.writestr("last/step", str(step))
                file.writestr("last/more", os.urandom(MEGABYTES << 20))
            return content.getvalue()


        def save(step, weights):
            stops = os.path.exists(f"{SITE}/half")
            if NAME.endswith(".ckpt"):
                os.makedirs("out", exist_ok=True)
                write(PLACE, archive(step, weights), stops)
            else:
                # Half a save of a folder is a new file and an old one, each of them whole.
                os.makedirs(PLACE, exist_ok=True)
                write(f"{PLACE}/weights.json", json.dumps([step, weights.hex()]).encode())
                if stops:
                    open(f"{SITE}/stands", "w").close()
                    time.sleep(600)
                write(f"{PLACE}/state.json", json.dumps({"step": step}).encode())


        def load():
            if NAME.endswith(".ckpt"):
                with zipfile.ZipFile(PLACE) as file:
                    return int(file.read("last/step")), file.read("last/weights")
            step, weights = json.load(open(f"{PLACE}/weights.json"))
            assert json.load(open(f"{PLACE}/state.json"))["step"] == step, "halves of two saves"
            return step, bytes.fromhex(weights)


        step, weights = load() if os.path.exists(PLACE) else (0, b"one")
        print(f"begins at step {step}", flush=True)
        with open(f"{SITE}/begun", "a") as file:
            print(step, file=file)
        while not os.path.exists(f"{SITE}/finish"):
            time.sleep(0.05)
            step += 1
            weights = hashlib.sha256(weights + str(step).encode()).digest()
            print(f"step {step}", flush=True)
            if os.path.exists(f"{SITE}/save"):
                os.remove(f"{SITE}/save")
                save(step, weights)
                with open(f"{SITE}/saved", "a") as file:
                    print(step, file=file)
        print("ends with", step, weights.hex(), flush=True)
        """

    /// `megabytes` is the size of a checkpoint that is one file.
    init(at site: Site, name: String, keep: Int?, megabytes: Int = 0, volume: String? = nil) throws {
        self.name = name
        try site.write("train.py", Self.script)
        agent = try BareAgent(
            at: site, command: .shell("exec python3 \"$SITE/train.py\" \(name) \(megabytes)"), volume: volume)
        agent.spec.checkpoints = CheckpointRule(path: "out", keep: keep, names: [name])
    }

    /// The steps whose save has ended.
    var saved: [Int] { steps(in: "saved") }

    /// The steps at which the training has begun. They are noted outside the volume.
    var begun: [Int] { steps(in: "begun") }

    private func steps(in file: String) -> [Int] {
        (try? File.read("\(agent.site.root)/\(file)").text.split(separator: "\n").compactMap { Int($0) }) ?? []
    }

    static func weights(at step: Int) -> String {
        let start = Array("one".utf8)
        guard step > 0 else { return start.hexadecimal }
        return (1...step).reduce(start) { SHA256Digest(of: $0 + Array(String($1).utf8)).bytes }.hexadecimal
    }

    /// The number of complete copies in the run's folder `kept`.
    var copies: Int {
        let folder = "\(agent.folder.kept)/\(name)"
        return ((try? File.list(folder)) ?? []).count { Int($0) != nil }
    }
}
