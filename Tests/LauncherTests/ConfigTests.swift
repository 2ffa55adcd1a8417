import Shared
import TestSupport
import Testing

@testable import Launcher

@Suite struct ConfigTests {
    @Test("a config of \"run\" and \"command\" gives a spec with defaults")
    func minimal() throws {
        let config = try Config.reading("run: a\ncommand: python train.py\n")
        let launch = LaunchOrder(id: "1")
        #expect(config.code == nil)
        #expect(config.folder == "/project")
        #expect(config.warnings == [])
        let expected = RunSpec(
            run: try #require(RunID("a")), project: "p", command: .shell("python train.py"), volume: "/v",
            launch: launch)
        #expect(config.spec(project: "p", code: nil, volume: "/v", launch: launch) == expected)
    }

    @Test("every supported key of the config reaches the spec")
    func supportedKeys() throws {
        let config = try Config.reading(
            """
            run: my-run-1
            provider: local
            command: python train.py {resume} --name ${X}
            resume: --resume {checkpoint}
            workdir: src
            code: {path: ../code}
            dependencies:
              requirements: [requirements.txt, more/requirements.txt]
              python: python3.11
              environment: venv
              installer: pip
              cache: true
            checkpoints:
              path: ../out
              pattern: "*.ckpt"
            env:
              A: 1
              B: yes
              C: ${X}$${X}
              D: 'null'
            tty: false
            resources:
              spot: false
              volume: {path: ~/volume}
            """)
        var expected = RunSpec(
            run: try #require(RunID("my-run-1")), project: "p", command: .shell("python train.py {resume} --name ${X}"),
            volume: "/v", launch: LaunchOrder(id: "1"))
        expected.resume = .shell("--resume {checkpoint}")
        expected.workdir = "src"
        expected.code = PackedCode(sha256: "abc", size: 3)
        expected.dependencies.requirements = ["requirements.txt", "more/requirements.txt"]
        expected.dependencies.python = "python3.11"
        expected.dependencies.installer = .pip
        expected.checkpoints = CheckpointRule(path: "../out", pattern: "*.ckpt")
        expected.env = ["A": "1", "B": "yes", "C": "x${X}", "D": "null"]
        #expect(config.code == .path("/code"))
        #expect(config.volumePath == "/home/me/volume")
        #expect(
            config.spec(project: "p", code: expected.code, volume: "/v", launch: expected.launch) == expected)
    }

    @Test("every key of the config is read, even if its feature is not built yet")
    func allKeys() throws {
        let file = try TextFile(bytes: Array(Self.everything.utf8), name: "config.yaml")
        let paths = Paths(folder: "/project", environment: ["HOME": "/home/me"])
        let reader = ConfigReader(file: "config.yaml", variables: Variables([["HF_TOKEN": "hf_12345678"]]))
        let read = Section.read(try YAML(file: file).mapping(), reader: reader) { Config(reading: $0, paths: paths) }
        #expect(reader.firstError == nil)
        let config = try #require(read)
        config.check(with: reader, paths: paths)
        #expect(reader.firstError == nil)
        #expect(reader.warnings.map(\.key) == ["resources.spot"])
        #expect(config.provider == .runpod)
        #expect(config.image == "ghcr.io/me/image@sha256:00")
        #expect(config.command == .exec(["python", "train.py", "{resume}"]))
        #expect(config.resume == .exec(["--resume", "{checkpoint}"]))
        #expect(config.workdir == "/data/work")
        #expect(config.code == .git(url: "https://github.com/me/it", ref: "main"))
        var dependencies = Dependencies()
        dependencies.overrides = ["torch==2.8"]
        dependencies.environment = .target
        dependencies.installer = .uv
        dependencies.cache = false
        dependencies.checkImports = ["torch", "a.b"]
        #expect(config.dependencies == dependencies)
        #expect(config.checkpoints?.keep == 3)
        #expect(config.checkpoints?.names == ["last.ckpt"])
        #expect(config.progress == #"it (\d+)/"#)
        #expect(config.secrets == ["HF_TOKEN": .value("hf_12345678")])
        #expect(config.tty)
        #expect(config.resources == Self.resources)
        var limits = Limits()
        limits.duration = .seconds(172_800)
        limits.cost = Money(written: "100")
        limits.setup = .seconds(3_600)
        limits.stall = .auto
        #expect(config.limits == limits)
        var retry = RetryPolicy(crash: 0, backoff: .seconds(60))
        retry.preempted = 5
        #expect(config.retry == retry)
        #expect(config.onFinish == .keep(.seconds(7_200)))
        #expect(config.diskFull == .stop)
        #expect(config.logs == LogRule(segment: 1 << 20, keep: 1 << 30))
        #expect(config.agentPort == 9000)
        #expect(config.tensorboard == "runs")
        #expect(config.notify == ["https://example.com/hook"])
        #expect(
            config.mirror
                == Config.Mirror(bucket: "b", endpoint: "https://s3.example.com", region: "eu", prefix: "runs/"))
    }

    private static var resources: Resources {
        var resources = Resources()
        resources.gpus = ["NVIDIA H100 80GB HBM3"]
        resources.gpuCount = 2
        resources.order = .price
        resources.spot = .prefer
        resources.maxPrice = Money(written: "5.99")
        resources.datacenters = ["EU-RO-1"]
        resources.minCUDA = "12.8"
        resources.disk = 100
        resources.ports = ["8888/http", "70022/tcp"]
        resources.volume = .network(id: "abc", mount: "/data")
        return resources
    }

    private static let everything = #"""
        run: a
        provider: runpod
        image: ghcr.io/me/image@sha256:00
        command: [python, train.py, "{resume}"]
        resume: ["--resume", "{checkpoint}"]
        workdir: /data/work
        code: {git: "https://github.com/me/it", ref: main}
        dependencies:
          overrides: [torch==2.8]
          environment: target
          installer: uv
          cache: false
          check_imports: [torch, a.b]
        checkpoints: {path: out, keep: 3, names: [last.ckpt]}
        progress: 'it (\d+)/'
        secrets: [HF_TOKEN]
        tty: true
        resources:
          gpus: [NVIDIA H100 80GB HBM3]
          gpu_count: 2
          order: price
          cloud: secure
          spot: prefer
          max_price: 5.99
          datacenters: [EU-RO-1]
          min_cuda: 12.8
          disk: 100 GB
          ports: [8888/http, 70022/tcp]
          volume: {network: abc, mount: /data}
        limits: {duration: 2d, cost: 100, setup: 1h, stall: auto}
        retry: {crash: 0, preempted: 5, backoff: 1m}
        on_finish: {keep: 2h}
        disk_full: stop
        logs: {segment: 1MB, keep: 1GB}
        agent_port: 9000
        tensorboard: {logdir: runs}
        notify: ["https://example.com/hook"]
        mirror: {bucket: b, endpoint: "https://s3.example.com", region: eu, prefix: runs/}
        """#

    @Test(
        "the run's name is taken as written, even if YAML would read a number or a boolean",
        arguments: ["123", "yes", "1e3", "0x10", "\"a\"", "a # comment"])
    func runAsWritten(_ written: String)
        throws
    {
        let expected = written == "\"a\"" || written.hasPrefix("a ") ? "a" : written
        #expect(try Config.reading("run: \(written)\ncommand: x").run.text == expected)
    }

    @Test(
        "a config may have a byte order mark, CRLF line ends and document markers",
        arguments: ["\u{FEFF}run: a\ncommand: x\n", "run: a\r\ncommand: x\r\n", "---\nrun: a\ncommand: x\n...\n"])
    func lineEnds(_ yaml: String) throws {
        let config = try Config.reading(yaml)
        #expect(config.run.text == "a")
        #expect(config.command == .shell("x"))
    }

    @Test("a command in a YAML block keeps its tabs and braces")
    func blockCommand() throws {
        let config = try Config.reading("run: a\ncommand: |\n  cat <<E\n  \t{x} *.py &\n  E\n")
        #expect(config.command == .shell("cat <<E\n\t{x} *.py &\nE\n"))
    }

    @Test("a config whose dependencies name nothing to install gives a warning")
    func emptyDependencies() throws {
        let config = try Config.reading("run: a\ncommand: x\ndependencies: {python: python3.11}")
        #expect(config.dependencies.isEmpty)
        #expect(config.warnings.map(\.description) == ["config.yaml:3:1: \"dependencies\" names nothing to install"])
    }

    @Test("a config whose command does not use \"resume\" gives a warning")
    func unusedResume() throws {
        let config = try Config.reading(
            "run: a\ncommand: x\nresume: --resume {checkpoint}\ncheckpoints: {path: out}")
        #expect(
            config.warnings.map(\.description) == [
                """
                config.yaml:3:1: "resume" is not used: "command" has no {resume}
                hint: the checkpoint's path is also in $POD_AGENT_RESUME
                """
            ])
    }

    @Test("a config with fixed checkpoint names and no kept copies gives a warning")
    func fixedNames() throws {
        func warnings(_ more: String) throws -> [String] {
            try Config.reading("run: a\ncommand: x\ncheckpoints: {path: out, names: [last.ckpt]\(more)}").warnings
                .map(\.description)
        }
        #expect(
            try warnings("") == [
                """
                config.yaml:3:26: a kill during a save can destroy a checkpoint of "checkpoints.names"
                hint: keep: 1 keeps a copy of the last proven one; it also deletes older numbered checkpoints
                """
            ])
        #expect(try warnings(", keep: 1") == [])
        #expect(try warnings(", keep: none").count == 1)
    }

    @Test(
        "an absolute workdir must be on the volume",
        arguments: [
            (["LAUNCH_HOME": "/l"], "/l/volume/x"),
            (["XDG_STATE_HOME": "/s"], "/s/launch/volume"),
            ([:], "/home/me/.local/state/launch/volume/a/../b"),
        ])
    func absoluteWorkdir(environment: [String: String], workdir: String) throws {
        #expect(
            try Config.reading("run: a\ncommand: x\nworkdir: \(workdir)", environment: environment).workdir == workdir)
        #expect(throws: ConfigError.self) {
            try Config.reading("run: a\ncommand: x\nworkdir: \(workdir)/../../../..", environment: environment)
        }
    }
}
