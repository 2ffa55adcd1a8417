internal import ArgumentParser
internal import Shared

/// What `launch` exits with where it is not the training's own exit code, sysexits(3) and shells.
enum Exit: Int32, CaseIterable {
    case usage = 64
    case unavailable = 69
    case unknown = 70
    case setupFailed = 73
    case output = 74
    case refused = 77
    case config = 78
    case stopped = 130
    case interrupted = 143

    /// For `--help`.
    static let table = """
        EXIT CODES: that of the training (128 + n for a signal n), or
          64   wrong usage
          69   no provider or agent in reach
          70   outcome unknown: the pod is gone and left no record of its end
          73   setup failed: code, dependencies or the start of the command
          74   standard output or a file could not be written
          77   the agent refuses the key
          78   wrong config
          130  stopped by the user
          143  interrupted
        """

    /// How a run ended, as the exit code of the command that followed it.
    static func code(of outcome: Outcome?) -> ExitCode {
        if let kind = outcome?.kind {
            switch kind {
            case .finished: return .success
            case .failed, .outOfMemory, .stalled, .overLimit, .agentCrash:
                // A training that was ended for its own good and then says 0 has not finished all the same.
                let code = outcome?.exit?.shellCode ?? unknown.rawValue
                return ExitCode(code == 0 ? unknown.rawValue : code)
            case .setupFailed: return ExitCode(setupFailed.rawValue)
            case .stopped: return ExitCode(stopped.rawValue)
            case .interrupted: return ExitCode(interrupted.rawValue)
            }
        }
        return ExitCode(unknown.rawValue)
    }
}
