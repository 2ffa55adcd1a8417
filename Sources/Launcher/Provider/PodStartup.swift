internal import Shared

/// The progress of a pod until its agent answers.
struct PodStartup: Sendable, Equatable {
    /// A sentence for a person.
    var phase: String
    /// From the pod's start to its agent's first answer. After that the launcher gives up waiting.
    var timeout: Duration
    /// Why its agent will never answer; nil if nothing shows that.
    var failure: Problem?
}
