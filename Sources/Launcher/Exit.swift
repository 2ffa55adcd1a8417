internal import ArgumentParser
internal import Shared

extension Exit {
    /// The codes of `launch`, for `--help`.
    static let table = """
        EXIT CODES: that of the training (128 + n for a signal n), or
          64   wrong usage
          69   no provider or agent in reach
          70   outcome unknown: the pod left no record of its end, or cannot be seen from here
          73   setup failed: code, dependencies or the start of the command
          74   standard output or a file could not be written
          75   no pod for this config is free
          77   the agent or the provider refuses the key
          78   wrong config
          130  stopped by the user
          143  interrupted
        """

    /// Returns the exit code of the command that followed a run to `outcome`.
    static func code(of outcome: Outcome?) -> ExitCode { ExitCode(ofLaunch(outcome)) }
}
