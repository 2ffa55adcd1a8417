internal import Shared

/// The results of the steps before the training, which the training takes.
struct Setup: Sendable {
    /// nil if the spec names no requirements.
    var python: PythonEnvironment?
    /// nil for a fresh start.
    var resume: CheckpointReference?
    /// nil if the spec names no checkpoints.
    var watch: CheckpointWatch?
    /// Reads the step from the training's output; nil before the last step of the setup.
    var progress: ProgressFollower?
}
