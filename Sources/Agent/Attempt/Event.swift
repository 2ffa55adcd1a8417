internal import Shared

/// Something that happened to an attempt.
enum Event: Sendable, Equatable {
    // MARK: Before the attempt

    /// The agent owns the run, and this attempt trains.
    case claimed
    /// This attempt finishes one of the same launch, whose training is over with this outcome.
    case claimedFinishing(Outcome)
    /// This attempt sits out the rest of the pause of one of the same launch that failed with this outcome.
    case claimedWaiting(Outcome, Duration)
    /// The launch is over already, with this outcome; nil if a newer launch owns the run.
    case launchOver(Outcome?)
    /// The agent cannot do its work on this pod: the volume refuses the claim, or the API gets no port.
    case cannotStart(Exit)

    // MARK: Setup and training

    case stepDone(SetupStep)
    /// A step failed or was called off, or the training could not be started. The text says why.
    case setupFailed(String)
    /// `limits.setup` is over. The text says so.
    case setupTimedOut(String)
    /// The training ran out of memory. `trainingEnded` follows at once.
    case outOfMemory
    /// The command ended well, but left processes that do nothing and will be killed. `trainingEnded` follows at once.
    /// The text names them.
    case leftIdle(String)
    case trainingEnded(ExitStatus)
    /// The training has reported no new step for too long. The text says for how long.
    case stalled(String)
    /// The record shows what the processes of the stalled training were doing.
    case stallCaptured
    /// Another limit of the run is used up. The text says which one.
    case overLimit(String)

    // MARK: Requests from outside

    /// SIGTERM: the pod is being taken away.
    case terminated
    /// The user asked for the end.
    case stopRequested(StopRequest)
    /// A higher claim exists: the run has another owner.
    case superseded

    // MARK: The end

    /// Some processes are still there long after SIGKILL: they hang in a system call, probably on the volume.
    case unkillable
    /// The record of the end is complete; nil if no other attempt may follow on this pod.
    case attemptFinished(RetryRule.Verdict?)
    /// The pause before the next attempt is over.
    case pauseOver
    /// The followers have the whole log, or had time to get it.
    case published
    /// The provider stopped billing the pod.
    case podStopped
}
