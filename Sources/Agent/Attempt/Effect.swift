internal import Shared

/// Something that the daemon does after an event.
enum Effect: Sendable, Equatable {
    /// The attempt's own part.
    case attempt(AttemptEffect)
    /// Claim and begin the next attempt, because the pause before it is over.
    case startNext
    /// Stop or delete the pod, until the provider confirms it.
    case stopPod
    /// Exit with this code.
    case exit(Int32)
}

/// Something that an attempt does after an event.
enum AttemptEffect: Sendable, Equatable {
    /// Send the new state or outcome to the volume. Comes before every effect that writes there.
    case record
    case setUp(SetupStep)
    case train
    /// Record what the processes of a stalled training are doing, without disturbing them.
    case captureStall
    /// End the training, or the child of a setup step.
    case tearDown(Teardown)
    /// Drain the output, end the remaining processes (with time to end by themselves if `gracefully`), complete the
    /// record.
    case finishAttempt(gracefully: Bool)
    /// Record that the next attempt is due after this pause. The agent that is started then makes it.
    case schedule(Duration)
    /// Record that the next attempt is due after this pause, and post its end.
    case pause(Duration)
    /// Give the followers time to get the rest of the log; more of it if `gracefully`.
    case publish(gracefully: Bool)
    /// Write nothing more to the volume.
    case fence
}
