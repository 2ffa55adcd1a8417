#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

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

public enum ProviderName: String, Sendable, Codable, CaseIterable {
    case local
    case runpod
}

/// A command as the config gives it: a string is for the shell, a list is executed as it is.
public enum CommandForm: Sendable, Equatable {
    case shell(String)
    case exec([String])
}

extension CommandForm: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .shell(text)
        } else {
            self = .exec(try container.decode([String].self))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .shell(let text): try container.encode(text)
        case .exec(let words): try container.encode(words)
        }
    }
}

/// A source tree packed by `launch`, named by the SHA-256 of the pack.
public struct PackedCode: Sendable, Codable, Equatable {
    public var sha256: String
    /// Size of the pack in bytes.
    public var size: Int

    public init(sha256: String, size: Int) {
        self.sha256 = sha256
        self.size = size
    }
}

/// What is installed before the training.
public struct Dependencies: Sendable, Codable, Equatable {
    /// Requirement files of pip, relative to the work tree.
    public var requirements: [String]
    /// The interpreter that the environment is made with.
    public var python: String

    public init(requirements: [String], python: String = "python3") {
        self.requirements = requirements
        self.python = python
    }
}

/// Where the training saves, and which names there are checkpoints.
public struct CheckpointRule: Sendable, Codable, Equatable {
    /// Relative to `workdir`.
    public var path: String
    /// A file name pattern as in fnmatch(3); the step is the last number in a matching name.
    public var pattern: String
    /// How many proven checkpoints are kept, 1 or more; nil: all. Of each fixed name so many copies are, and without a number none.
    public var keep: Int?
    /// Fixed names, under which a training saves again and again. They are told apart by time. nil: none.
    public var names: [String]?

    public init(path: String, pattern: String = "checkpoint-*", keep: Int? = nil, names: [String]? = nil) {
        self.path = path
        self.pattern = pattern
        self.keep = keep
        self.names = names
    }
}

/// What becomes of the pod at the end of its run.
public enum OnFinish: String, Sendable, Codable {
    /// It is stopped; what the provider keeps of it can be started again.
    case stop
    /// It is deleted. Only where the volume outlives it, and never before all that matters is proven to be there.
    case terminate
}

/// One deliberate `launch run`.
public struct LaunchOrder: Sendable, Codable, Equatable {
    /// A nonce: a restart of the pod's container keeps it, a new `launch run` changes it.
    public var id: String
    /// Begin a new lineage: checkpoints that exist are no candidates. Acts once for each id.
    public var force: Bool
    /// Pods proven dead, whose claims need not be waited for.
    public var supersedes: [String]
    /// US dollars for an hour of the pod, all GPUs together; nil where it is not known, or nothing.
    public var price: Double?
    /// Since when the pod is paid for.
    public var bought: Date?

    public init(
        id: String, force: Bool = false, supersedes: [String] = [], price: Double? = nil, bought: Date? = nil
    ) {
        self.id = id
        self.force = force
        self.supersedes = supersedes
        self.price = price
        self.bought = bought
    }
}
