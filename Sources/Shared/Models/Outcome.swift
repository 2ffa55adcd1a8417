/// How an attempt ended.
public struct Outcome: Sendable, Codable, Equatable {
    public var kind: OutcomeClass
    /// The training's own end, once it is known and if it ever started.
    public var exit: ExitStatus?
    /// A sentence for a person, where the class does not say it all.
    public var message: String?

    public init(_ kind: OutcomeClass, exit: ExitStatus? = nil, message: String? = nil) {
        self.kind = kind
        self.exit = exit
        self.message = message
    }

    /// `failed, exit code 7`: the class, and the training's own end.
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
    /// The user asked.
    case stopped
    /// The kernel killed a process for lack of memory, or the GPU had none left.
    case outOfMemory = "out-of-memory"
    /// No new step for `limits.stall`.
    case stalled
    /// `limits.duration` or `limits.cost` is used up.
    case overLimit = "over-limit"
    /// The agent died and left the training without an end. Found by the next attempt.
    case agentCrash = "agent-crash"
    /// Code or dependencies could not be brought in, or the command could not be started.
    case setupFailed = "setup-failed"

    /// Whether the launch is over: a restart of the same pod does not train again.
    public var endsLaunch: Bool { self != .interrupted }

    /// Whether the training ended by its own fault, and may do better when it is tried again.
    public var isFault: Bool {
        switch self {
        case .failed, .outOfMemory, .stalled: true
        case .finished, .interrupted, .stopped, .overLimit, .agentCrash, .setupFailed: false
        }
    }
}
