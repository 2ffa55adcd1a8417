/// A summary of the checkpoints of a lineage.
public struct CheckpointCount: Sendable, Codable, Equatable {
    public var count: Int
    /// The newest checkpoint. It may be torn.
    public var newest: CheckpointReference?
    /// The newest checkpoint that is proven, or that the next start would prove.
    public var proven: CheckpointReference?

    public init(count: Int, newest: CheckpointReference?, proven: CheckpointReference? = nil) {
        self.count = count
        self.newest = newest
        self.proven = proven
    }
}
