internal import Shared

/// The way in which an attempt and its pod are being ended, as far as it is decided.
struct Ending: Sendable, Equatable {
    /// The teardown under way, of the training or of a setup step's child; nil if none has begun.
    var teardown: Teardown?
    /// The pod is being taken away: the agent has less than four seconds.
    var isPreempted = false
    /// Some processes outlast SIGKILL and may write again later, so no other attempt may follow on this pod.
    var isUnkillable = false
    /// The user asked for the end, so no other attempt follows.
    var isRequested = false
    /// The user's word on what becomes of the pod, which overrides the config's; nil without one.
    var podRule: OnFinish?
    /// The pod's exit code, once the pod's stop is the only thing left to do.
    var exitCode: Int32?
}
