/// The folder in which the training saves, and the names that are checkpoints.
public struct CheckpointRule: Sendable, Codable, Equatable {
    /// Relative to `workdir`.
    public var path: String
    /// A file name pattern as in fnmatch(3), with `{step}` in the place of the step.
    public var pattern: String
    /// Patterns of files with the same step that belong to a checkpoint; nil: none but those of known trainers.
    public var companions: [String]?
    /// The number of proven checkpoints to keep, 1 or more; nil if all are kept.
    ///
    /// For each fixed name it is the number of copies; nil if there are no copies.
    public var keep: Int?
    /// Fixed names under which the training saves again and again; nil if there are none. Their time identifies a save.
    public var names: [String]?

    public init(
        path: String, pattern: String = "checkpoint-*", keep: Int? = nil, names: [String]? = nil,
        companions: [String]? = nil
    ) {
        self.path = path
        self.pattern = pattern
        self.keep = keep
        self.names = names
        self.companions = companions
    }
}
