internal import RunPod
internal import Shared

/// One call of RunPod's API that ends this pod.
///
/// The pod's own key often may not read its own pod, so no route asks for its status: the end shows when RunPod sends
/// SIGTERM to this container.
struct RunPodStopRoute: StopRoute {
    enum Call: String, Sendable, CaseIterable {
        case action = "REST v2 action"
        case delete = "REST v2 DELETE"
        case graphQL = "GraphQL"
    }

    let call: Call
    let pod: String
    /// Whose key it is, for a person.
    let owner: String
    let client: @Sendable () async -> RunPodClient

    var name: String { "\(call.rawValue) with \(owner)" }

    func end(_ way: PodEnd) async throws {
        let client = await client()
        switch call {
        case .action: try await client.act(way == .terminate ? .terminate : .stop, on: pod)
        // A DELETE would take the pod's own disk with it.
        case .delete where way == .stop: throw NotApplicable()
        case .delete: try await client.deletePod(pod)
        case .graphQL: try await client.endByGraphQL(pod, terminates: way == .terminate)
        }
    }

    func isOver() -> Bool { false }

    private struct NotApplicable: Error, CustomStringConvertible {
        let description = "it would delete the pod, not stop it"
    }
}
