/// The part of a config that the agent acts on. It holds nothing secret.
///
/// A new key of the config is one more field here. JSON without a key gives the field its default.
public struct RunSettings: Sendable, Codable, Equatable {
    public var run: RunID
    public var provider = ProviderName.local
    public var command: CommandForm
    /// The part of the command that makes the training resume. `{checkpoint}` in it stands for the checkpoint's path.
    public var resume: CommandForm?
    /// The arguments of a start without a checkpoint, in the place of `resume`.
    public var fresh: CommandForm?
    /// The folder that the command runs in: relative to the work tree, or absolute and on the volume.
    public var workdir = "."
    public var dependencies = Dependencies()
    public var checkpoints: CheckpointRule?
    /// A regular expression with one group, the step in the output.
    public var progress: String?
    public var env: [String: String] = [:]
    /// Names of the variables whose values are masked in everything that the agent writes. The values are never in a
    /// spec.
    public var secrets: [String] = []
    /// The training gets a pseudoterminal instead of a pipe, so that it prints as it would for a person.
    public var tty = false
    public var limits = Limits()
    public var retry = RetryPolicy()
    /// nil if the pod ends with its processes and nothing else has to be done.
    public var onFinish: OnFinish?
    public var diskFull = DiskFull.pause(.seconds(30 * 60))
    public var logs = LogRule()
    /// The port of the agent's API. `local` takes a free port of the loopback interface instead.
    public var agentPort = 8000

    public init(run: RunID, command: CommandForm) {
        self.run = run
        self.command = command
    }
}

extension RunSettings {
    /// The values of absent keys. `run` and `command` have none.
    static var defaults: JSONValue {
        get throws {
            try JSONValue(encoding: RunSettings(run: .placeholder, command: .shell(""))).removing(["run", "command"])
        }
    }
}
