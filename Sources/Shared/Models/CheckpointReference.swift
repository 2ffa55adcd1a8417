/// The name and place of a checkpoint.
public struct CheckpointReference: Sendable, Codable, Equatable {
    /// The step that its name says; nil if it says none for sure.
    public var step: Int?
    /// An absolute path in the pod.
    public var path: String
    /// The time at which its save ended, in nanoseconds since 1970; nil if that is not known.
    public var modified: Int?

    /// The attempt that saved it; nil if that is not known.
    public var attempt: Int?

    public init(step: Int?, path: String, modified: Int? = nil, attempt: Int? = nil) {
        self.step = step
        self.path = path
        self.modified = modified
        self.attempt = attempt
    }

    /// By the attempts that saved them, then by time, then by the steps in their names.
    public func isNewer(than other: CheckpointReference) -> Bool {
        if let attempt, let theirs = other.attempt, attempt != theirs { return attempt > theirs }
        if let modified, let theirs = other.modified, modified != theirs { return modified > theirs }
        if let step, let theirs = other.step { return step > theirs }
        return modified != nil && other.modified == nil
    }

    /// A short text for the user: `step 1000`, or the fixed name.
    public var words: String { step.map { "step \($0)" } ?? path.lastComponent }
}
