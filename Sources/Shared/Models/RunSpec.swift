/// A resolved config: everything the agent needs to know of a run, and nothing secret.
///
/// `launch` makes it from `config.yaml` and the agent gets it as JSON in `POD_AGENT_SPEC`. It is kept on the volume and shown in
/// the log; what must not be, such as the URLs of `notify`, goes to the agent in variables of its own.
public struct RunSpec: Sendable, Codable, Equatable {
    public var run: RunID
    /// Tells projects apart: two of them under one run's name would train in each other's work tree.
    public var project: String
    public var provider: ProviderName
    public var command: CommandForm
    /// How the training is told to resume; `{checkpoint}` in it stands for the checkpoint's path.
    public var resume: CommandForm?
    /// Where the command runs: relative to the work tree, or an absolute path on the volume.
    public var workdir: String
    public var code: PackedCode?
    public var dependencies: Dependencies?
    public var checkpoints: CheckpointRule?
    /// A regular expression with one group, the step in the output.
    public var progress: String?
    public var limits: Limits
    public var retry: RetryPolicy
    public var logs: LogRule
    public var onFinish: OnFinish?
    public var env: [String: String]
    /// Variables of the pod whose values are masked in everything that the agent writes. The values are never part of a spec.
    public var secrets: [String]
    /// The training gets a pseudoterminal instead of a pipe, so that it prints as it would for a person.
    public var tty: Bool
    /// The volume's mount point in the pod; for `local` a folder of this machine.
    public var volume: String
    /// The port of the agent's API; `local` takes a free one on the loopback interface instead.
    public var agentPort: Int
    public var launch: LaunchOrder

    public init(
        run: RunID, project: String, provider: ProviderName = .local, command: CommandForm, resume: CommandForm? = nil,
        workdir: String = ".", code: PackedCode? = nil, dependencies: Dependencies? = nil,
        checkpoints: CheckpointRule? = nil, progress: String? = nil, limits: Limits = Limits(),
        retry: RetryPolicy = RetryPolicy(), logs: LogRule = LogRule(), onFinish: OnFinish? = nil,
        env: [String: String] = [:], secrets: [String] = [], tty: Bool = false, volume: String, agentPort: Int = 8000,
        launch: LaunchOrder
    ) {
        self.run = run
        self.project = project
        self.provider = provider
        self.command = command
        self.resume = resume
        self.workdir = workdir
        self.code = code
        self.dependencies = dependencies
        self.checkpoints = checkpoints
        self.progress = progress
        self.limits = limits
        self.retry = retry
        self.logs = logs
        self.onFinish = onFinish
        self.env = env
        self.secrets = secrets
        self.tty = tty
        self.volume = volume
        self.agentPort = agentPort
        self.launch = launch
    }

    /// Bytes of the shortest value that is masked: shorter ones turn up by chance.
    public static let shortestSecret = 8

    /// What the run is, whichever launch asked for it: equal for two launches of the same config and code.
    public var fingerprint: String {
        get throws {
            var spec = self
            spec.launch = LaunchOrder(id: "")
            return SHA256Digest(of: try JSON.encode(spec)).description
        }
    }
}
