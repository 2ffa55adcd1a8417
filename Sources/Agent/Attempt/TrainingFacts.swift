internal import Shared

/// The facts about a training that was started.
struct TrainingFacts: Sendable {
    /// Reads the step from the output.
    var progress: ProgressFollower
    /// The training's environment.
    var variables: [String: String]
    /// When the training's own process had ended; nil while it runs.
    var ended: ContinuousClock.Instant?
    /// Processes that the kernel killed for lack of memory while the training ran; nil if the kernel does not count
    /// them.
    var outOfMemoryKills: Int?
    /// The command lines of processes that the command left in the background, and that do nothing; else empty.
    var leftIdle: [String] = []
    /// A line of the command that failed although the last one did not.
    var failedLine: FailedLine.Found?
}
