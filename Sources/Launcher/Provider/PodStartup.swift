/// How far a pod has come on its way to an agent that answers.
struct PodStartup: Sendable, Equatable {
    /// A sentence for a person.
    var phase: String
    /// From the pod's start to its agent's first answer. After that the launcher gives up waiting.
    var timeout: Duration
}
