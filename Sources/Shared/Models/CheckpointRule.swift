/// Where the training saves, and which names there are checkpoints.
public struct CheckpointRule: Sendable, Codable, Equatable {
    /// Relative to `workdir`.
    public var path: String
    /// A file name pattern as in fnmatch(3); the step is the last number in a matching name.
    public var pattern: String
    /// How many proven checkpoints are kept, 1 or more; nil: all. Of each fixed name so many copies are, and without a number none.
    public var keep: Int?
    /// Fixed names, under which a training saves again and again. They are told apart by time. nil: none.
    public var names: [String]?

    public init(path: String, pattern: String = "checkpoint-*", keep: Int? = nil, names: [String]? = nil) {
        self.path = path
        self.pattern = pattern
        self.keep = keep
        self.names = names
    }
}
