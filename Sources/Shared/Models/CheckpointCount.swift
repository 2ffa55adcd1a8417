/// The checkpoints of a lineage.
public struct CheckpointCount: Sendable, Codable, Equatable {
    public var count: Int
    /// Whole or not.
    public var newest: CheckpointReference?
    /// The newest that is proven, or would be at a start.
    public var proven: CheckpointReference?

    public init(count: Int, newest: CheckpointReference?, proven: CheckpointReference? = nil) {
        self.count = count
        self.newest = newest
        self.proven = proven
    }
}
