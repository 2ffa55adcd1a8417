public import Shared

extension RunSpec {
    /// A spec with defaults for everything else.
    public init(run: RunID, project: String, command: CommandForm, volume: String, launch: LaunchOrder) {
        self.init(RunSettings(run: run, command: command), project: project, volume: volume, launch: launch)
    }
}
