public import HTTPClient

/// A reply that does not belong to the agent's API: a page of a proxy, or the reply of another version.
public struct UnknownReply: Error, Sendable, Equatable {
    public let status: Int
    /// The version of the agent that replied; nil if the reply is not an agent's.
    public let agent: String?

    public init(status: Int, agent: String? = nil) {
        self.status = status
        self.agent = agent
    }

    public init(to head: HTTPHead) {
        self.init(status: head.status, agent: head.headers[APIHeader.agent])
    }

    /// Whether the same request may reach the agent a little later.
    public var isPassing: Bool { agent == nil }
}

extension UnknownReply: CustomStringConvertible {
    public var description: String {
        guard let agent else { return "a proxy answered \(status) in the agent's place" }
        return "the agent, of version \(agent), answered \(status), which this program does not understand"
    }
}
