internal import Shared

/// Packed code that is sent to the agent of a pod elsewhere.
struct CodeDelivery: Sendable {
    let code: PackedCode
    /// The pack on this machine.
    let path: String

    /// Returns once the agent has all of it. A pack that the volume has already is not sent.
    func send(to agent: AgentClient) async throws { try await agent.putCode(code, file: path) }
}
