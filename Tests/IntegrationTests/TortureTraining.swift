import Glibc
import Shared
import TestSupport
import Testing

/// A run with a very short training, which marks each of its starts outside the volume.
///
/// The training syncs its files and renames them into place, so it never leaves a torn checkpoint.
struct TortureTraining {
    let site: Site
    var agent: BareAgent

    /// The steps of the training. Its weights are a chain of hashes, so they are known.
    private static let steps = 30
    private static let script = """
        import hashlib, json, os, shutil, sys, time

        with open(os.environ["SITE"] + "/starts", "a") as file:
            file.write("x")

        def sync(path):
            file = os.open(path, os.O_RDONLY)
            os.fsync(file)
            os.close(file)


        def save(folder, **files):
            aside = "saving/" + folder.replace("/", "-")
            for made in (aside, os.path.dirname(folder)):
                os.makedirs(made, exist_ok=True)
            for name, content in files.items():
                open(f"{aside}/{name}", "wb").write(content)
                sync(f"{aside}/{name}")
            shutil.rmtree(folder, ignore_errors=True)
            os.rename(aside, folder)
            sync(os.path.dirname(folder))


        step, weights = 0, b"one"
        if "--resume" in sys.argv:
            folder = sys.argv[sys.argv.index("--resume") + 1]
            weights = open(folder + "/weights", "rb").read()
            step = json.load(open(folder + "/state"))["step"]
        print("begins at step", step, flush=True)
        while step < \(steps):
            step += 1
            weights = hashlib.sha256(weights + str(step).encode()).digest()
            print("step", step, flush=True)
            while step == 15 and os.path.exists(os.environ["SITE"] + "/hold"):
                open(os.environ["SITE"] + "/held", "w").close()
                time.sleep(0.005)
            if step % 10 == 0:
                save(f"checkpoints/checkpoint-{step}", weights=weights, state=json.dumps({"step": step}).encode())
        save("made/final", weights=weights)
        """
    /// The system's own Python. The one of a version manager takes longer to start than the training.
    private static let python = File.isExecutable("/usr/bin/python3") ? "/usr/bin/python3" : "python3"

    static let weights: [UInt8] = (1...steps).reduce(Array("one".utf8)) { weights, step in
        SHA256Digest(of: weights + Array(String(step).utf8)).bytes
    }

    /// `volume` of nil is the site's own folder. `keep` is the number of bytes of sealed log that the agent keeps.
    init(at site: Site, volume: String? = nil, keep: Int = 1 << 20) throws {
        self.site = site
        agent = try BareAgent(at: site, run: "torture", command: .shell("exec \(Self.python) train.py {resume}"))
        if let volume { agent.spec.volume = volume }
        agent.spec.resume = .shell("--resume {checkpoint}")
        agent.spec.checkpoints = CheckpointRule(path: "checkpoints")
        // Segments are so small that some are sealed.
        agent.spec.logs = LogRule(segment: 500, keep: keep)
        // A forced launch writes a lineage, too.
        agent.spec.launch.force = true
        try pack()
    }

    private mutating func pack() throws {
        let script = Array(Self.script.utf8)
        let bytes = Collected()
        var writer = TarWriter { bytes.all += $0 }
        try writer.begin(TarEntry("train.py", .file(size: script.count, isExecutable: false)))
        try script.withUnsafeBytes { try writer.write($0) }
        try writer.finish()
        let code = PackedCode(sha256: SHA256Digest(of: bytes.all).description, size: bytes.all.count)
        agent.spec.code = code
        let path = Volume(root: agent.spec.volume).pack(code)
        try File.makeFolders(path.parentFolder)
        try File.replace(path, with: bytes.all)
    }

    private final class Collected { var all: [UInt8] = [] }

    /// Starts the agent, with the words of `tracer` before it. It writes no endpoint file: that would be further calls.
    func start(under tracer: [String] = []) throws -> Running {
        var environment = try agent.environment()
        environment["POD_AGENT_ENDPOINT_FILE"] = nil
        return try site.start(tracer + [Programs.agent], environment: environment)
    }

    /// Starts the agent. Returns once its training waits in its middle, or the agent has ended.
    func hold(under tracer: [String] = []) async throws -> Running {
        try site.open("hold")
        let run = try start(under: tracer)
        try await eventuallyTrue("the middle of the training; \(run.errors)") {
            if !run.isRunning { return true }
            guard site.exists("held"), let record = try latest else { return false }
            return try record.state == .training && log.text.contains("step 15\n")
        }
        return run
    }

    /// Lets the next training run to its end.
    func release() throws {
        try File.remove("\(site.root)/hold")
        try File.remove("\(site.root)/held")
    }

    /// Runs an attempt and kills its `serve` in the middle of the training.
    func dieInTraining() async throws {
        let run = try await hold()
        let serve = try #require(ProcessStat.all().first { $0.parent == run.pid })
        kill(serve.pid, SIGKILL)
        let code = try await run.end()
        if code != 128 + SIGKILL { throw TortureFinding("the first attempt did not die but ended with \(code)") }
        try release()
    }

    /// How often the training was started.
    var starts: Int { (try? File.read("\(site.root)/starts").count) ?? 0 }

    /// The log of all segments together.
    struct Log {
        /// The offset of the first byte that is kept.
        var begin: Int
        var bytes: [UInt8]

        var text: String { bytes.text }

        /// Whether this is the `earlier` log, possibly with bytes added at its end and removed at its beginning.
        func continues(_ earlier: Log) -> Bool {
            let gone = begin - earlier.begin
            if gone < 0 || begin + bytes.count < earlier.begin + earlier.bytes.count { return false }
            return bytes.starts(with: earlier.bytes.dropFirst(gone))
        }
    }

    var log: Log {
        get throws {
            let stream = try LogStream(of: agent.folder)
            var log = Log(begin: stream.begin, bytes: [])
            while case let more = try stream.read(at: log.begin + log.bytes.count, limit: 1 << 20), !more.isEmpty {
                log.bytes += more
            }
            let end = try stream.end
            if log.begin + log.bytes.count != end {
                throw TortureFinding("the log ends at \(log.begin + log.bytes.count), not \(end)")
            }
            return log
        }
    }

    var latest: AttemptRecord? {
        get throws { try agent.folder.claims().last.flatMap { try agent.record($0.number) } }
    }
}

/// A state that must not occur.
struct TortureFinding: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
