internal import Shared

/// A config that was read and found right: what `launch` knows of a run before it does anything.
struct Config: Sendable {
    var run: RunID
    var provider: ProviderName
    var image: String?
    var command: CommandForm
    var resume: CommandForm?
    /// Relative to the work tree, or absolute and on the volume.
    var workdir: String
    var code: Code?
    var install: Install?
    var checkpoints: CheckpointRule?
    /// A regex with one group, the step in the output.
    var progress: String?
    var env: [String: String]
    /// By the variable's name.
    var secrets: [String: SecretSource]
    var tty: Bool
    var resources: Resources
    var limits: Limits
    var retry: Retry
    /// nil: by the volume's kind.
    var onFinish: OnFinish?
    var diskFull: DiskFull
    var logs: LogRule
    var agentPort: Int
    /// The folder that TensorBoard shows.
    var tensorboard: String?
    /// URLs, each of which may hold a secret after its host.
    var notify: [String]
    var mirror: Mirror?

    /// The config's folder, absolute.
    var folder: String
    /// What is odd but not wrong.
    var warnings: [ConfigError] = []
    /// Values of the environment, `.env` and `.runpod.env` that must never be packed or shown.
    var knownSecrets: Set<String> = []

    /// Reads and checks the config at `path`. It opens that file and the `.env` and `.runpod.env` beside it, and touches nothing.
    static func load(path: String, environment: [String: String]) throws(ConfigError) -> Config {
        let file = try TextFile(path: path, name: path)
        let paths = try Paths(config: path, environment: environment)
        let beside = path.contains("/") ? path.parentFolder + "/" : ""
        var sources = [environment]
        for name in [".env", ".runpod.env"] {
            sources.append(try DotEnv(path: "\(paths.folder)/\(name)", name: beside + name).values)
        }
        return try Config(file: file, paths: paths, variables: Variables(sources))
    }

    init(file: TextFile, paths: Paths, variables: Variables) throws(ConfigError) {
        let mapping = try YAML(file: file).mapping()
        let reader = ConfigReader(file: file.name, variables: variables)
        let config = Section.read(mapping, reader: reader) { Config(reading: $0, paths: paths) }
        if let error = reader.firstError { throw error }
        guard var config else { throw ConfigError(file: file.name, message: "could not be read") }
        config.check(with: reader, paths: paths)
        if let error = reader.firstError ?? Support.firstMissing(in: reader) { throw error }
        config.warnings = reader.warnings
        config.knownSecrets = reader.knownSecrets
        self = config
    }

    /// `resources.volume.path`, absolute: a folder of this machine for `local`.
    var volumePath: String? {
        if case .folder(let path) = resources.volume { path } else { nil }
    }

    /// nil where nothing is to be installed.
    var dependencies: Dependencies? {
        guard let install, !install.requirements.isEmpty else { return nil }
        return Dependencies(requirements: install.requirements, python: install.python)
    }

    /// nil where the pod ends with its processes, and that is all.
    private var finish: Shared.OnFinish? {
        switch (onFinish, resources.volume) {
        case (.terminate, _): .terminate
        case (.stop, _): .stop
        case (.keep, _): nil
        case (nil, .network): .terminate
        case (nil, _): provider.rules.defaultFinish
        }
    }

    /// The values of secrets that the pod gets in its environment, by the variable's name.
    var secretValues: [String: String] {
        secrets.compactMapValues { if case .value(let value) = $0 { value } else { nil } }
    }

    /// What the agent is told. `volume` is the mount point in the pod; for `local` a folder of this machine.
    func spec(project: String, code: PackedCode?, volume: String, launch: LaunchOrder) -> RunSpec {
        RunSpec(
            run: run, project: project, provider: provider, command: command, resume: resume, workdir: workdir,
            code: code,
            dependencies: dependencies, checkpoints: checkpoints, progress: progress, limits: limits.resolved,
            retry: RetryPolicy(crash: retry.crash, backoff: retry.backoff.inSeconds), logs: logs, onFinish: finish,
            env: env, secrets: secrets.keys.sorted(), tty: tty, volume: volume, agentPort: agentPort, launch: launch)
    }
}
