internal import Shared

/// The progress of a pod until its agent answers.
struct PodStartup: Sendable, Equatable {
    /// A sentence for a person.
    var phase: String
    /// From the pod's start to its agent's first answer. After that the launcher gives up waiting.
    var timeout: Duration
    /// After so long in the same phase the launcher gives up too: the host is broken; nil if that proves nothing.
    var stall: Duration?
    /// Why its agent will never answer; nil if nothing shows that.
    var failure: Problem?
    /// The failure is one of the host: a pod on another one may work.
    var isOfHost = false
}

/// A pod could not start because of its host, and was ended. Another pod may work.
struct HostFault: Error {
    let pod: String
    let failure: Failure
}
