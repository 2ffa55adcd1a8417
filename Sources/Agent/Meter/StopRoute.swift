/// One way to end what this pod costs, from inside the pod.
protocol StopRoute: Sendable {
    /// For a person, such as `REST v2 with the pod's key`.
    var name: String { get }

    /// Asks once for the end. That it returns says only that it was asked.
    func end(_ way: PodEnd) async throws

    /// Whether the provider, read back, says that the pod is stopped or gone. Throws where it does not tell.
    func isOver() async throws -> Bool
}

/// The pod is a process tree of some machine, and ends with the agent.
struct LocalStopRoute: StopRoute {
    let name = "the end of the agent"

    func end(_ way: PodEnd) {}
    func isOver() -> Bool { true }
}
