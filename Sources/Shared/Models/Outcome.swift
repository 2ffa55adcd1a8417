/// The end of an attempt.
public struct Outcome: Sendable, Codable, Equatable {
    public var kind: OutcomeClass
    /// The end of the training's process; nil if it is unknown, or if the training never started.
    public var exit: ExitStatus?
    /// A sentence for the user that says more than the class.
    public var message: String?

    public init(_ kind: OutcomeClass, exit: ExitStatus? = nil, message: String? = nil) {
        self.kind = kind
        self.exit = exit
        self.message = message
    }

    /// The class and the process's end: `failed, exit code 7`.
    public var words: String {
        switch exit {
        case .code(let code): "\(kind.rawValue), exit code \(code)"
        case .signal(let number): "\(kind.rawValue), ended by signal \(number)"
        case nil: kind.rawValue
        }
    }

    private enum CodingKeys: String, CodingKey {
        case kind = "class"
        case exit
        case message
    }
}

public enum OutcomeClass: String, Sendable, Codable, CaseIterable {
    /// Exit status 0.
    case finished
    /// Another exit status, or a signal.
    case failed
    /// SIGTERM from outside.
    case interrupted
    /// The user asked for it.
    case stopped
    /// The kernel killed a process for lack of memory, or the GPU's memory was full.
    case outOfMemory = "out-of-memory"
    /// The training reported no new step for `limits.stall`.
    case stalled
    /// `limits.duration` or `limits.cost` is used up.
    case overLimit = "over-limit"
    /// The agent died before it recorded an end. The next attempt recorded this class.
    case agentCrash = "agent-crash"
    /// The code or the dependencies could not be installed, or the command could not be started.
    case setupFailed = "setup-failed"

    /// Whether the launch is over, so that a restart of the same pod does not train again.
    public var endsLaunch: Bool { self != .interrupted }

    /// Whether the training itself failed, so that another attempt may succeed.
    public var isFault: Bool {
        switch self {
        case .failed, .outOfMemory, .stalled: true
        case .finished, .interrupted, .stopped, .overLimit, .agentCrash, .setupFailed: false
        }
    }
}
