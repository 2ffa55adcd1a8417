/// Exit codes of `launch` and of the pod besides the training's own: sysexits(3), and 128 + n for a signal n as in
/// shells.
public enum Exit: Int32, Sendable, CaseIterable {
    case usage = 64
    case unavailable = 69
    /// The outcome is unknown, or nothing better describes it.
    case unknown = 70
    /// The pod's system refused what the agent needs, such as a port. Only the pod exits with it.
    case system = 71
    case setupFailed = 73
    /// Something could not be written: the output of `launch`, or the pod's claim on its volume.
    case output = 74
    /// No provider has a pod for the config at the moment.
    case noCapacity = 75
    case refused = 77
    case config = 78
    case stopped = 130
    case interrupted = 143
}

extension Exit {
    /// Returns the pod's exit code after `outcome`; nil: the pod had nothing to do.
    ///
    /// The provider shows this code, so the training's own code comes first, whatever ended the training.
    public static func ofPod(_ outcome: Outcome?) -> Int32 {
        if let exit = outcome?.exit { return exit.shellCode }
        return switch outcome?.kind {
        case nil, .finished: 0
        case .failed, .outOfMemory, .stalled, .overLimit, .agentCrash: unknown.rawValue
        case .setupFailed: setupFailed.rawValue
        case .stopped: stopped.rawValue
        case .interrupted: interrupted.rawValue
        }
    }

    /// Returns the exit code of the `launch` command that followed a run to `outcome`; nil: the run has no record of
    /// its end.
    ///
    /// A script reads this code, so it differs from the pod's on purpose: only a run that finished gives 0. A training
    /// that was stopped, or ended for a limit, and then exits with 0 has not finished.
    public static func ofLaunch(_ outcome: Outcome?) -> Int32 {
        switch outcome?.kind {
        case .finished: return 0
        case .failed, .outOfMemory, .stalled, .overLimit, .agentCrash:
            let code = outcome?.exit?.shellCode ?? unknown.rawValue
            return code == 0 ? unknown.rawValue : code
        case .setupFailed: return setupFailed.rawValue
        case .stopped: return stopped.rawValue
        case .interrupted: return interrupted.rawValue
        case nil: return unknown.rawValue
        }
    }
}
