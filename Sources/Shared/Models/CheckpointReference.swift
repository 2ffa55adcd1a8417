public struct CheckpointReference: Sendable, Codable, Equatable {
    /// The number in its name; nil where the name is a fixed one.
    public var step: Int?
    /// Absolute, in the pod.
    public var path: String
    /// When its last file was written, in nanoseconds since 1970; nil where that is not known.
    public var modified: Int?

    public init(step: Int?, path: String, modified: Int? = nil) {
        self.step = step
        self.path = path
        self.modified = modified
    }

    /// By the steps where both have one, else by time.
    public func isNewer(than other: CheckpointReference) -> Bool {
        if let step, let other = other.step { return step > other }
        return (modified ?? 0) > (other.modified ?? 0)
    }

    /// For a person: `step 1000`, or the fixed name.
    public var words: String { step.map { "step \($0)" } ?? path.lastComponent }
}
