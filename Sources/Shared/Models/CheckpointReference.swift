/// The name and place of a checkpoint.
public struct CheckpointReference: Sendable, Codable, Equatable {
    /// The number in its name; nil if the name is a fixed one.
    public var step: Int?
    /// An absolute path in the pod.
    public var path: String
    /// The time of the last write to its files, in nanoseconds since 1970; nil if it is unknown.
    public var modified: Int?

    public init(step: Int?, path: String, modified: Int? = nil) {
        self.step = step
        self.path = path
        self.modified = modified
    }

    /// Compares the steps if both have one, else the times.
    public func isNewer(than other: CheckpointReference) -> Bool {
        if let step, let other = other.step { return step > other }
        return (modified ?? 0) > (other.modified ?? 0)
    }

    /// A short text for the user: `step 1000`, or the fixed name.
    public var words: String { step.map { "step \($0)" } ?? path.lastComponent }
}
