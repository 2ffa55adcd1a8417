internal import Shared

/// One way to stop or delete this pod from inside.
protocol StopRoute: Sendable {
    /// Name for a person, such as `REST v2 with the pod's key`.
    var name: String { get }

    /// Requests the end once. Returns when the provider accepted the request, which may still have no effect.
    func end(_ way: PodEnd) async throws

    /// Returns whether the provider reports the pod as stopped or gone. Throws if the provider does not answer.
    func isOver() async throws -> Bool
}

/// The route of a pod that is a process tree: it ends with the agent, and there is nothing to request.
struct LocalStopRoute: StopRoute {
    let name = "the end of the agent"

    func end(_ way: PodEnd) {}
    func isOver() -> Bool { true }
}
