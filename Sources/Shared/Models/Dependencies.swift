/// What is installed before the training.
public struct Dependencies: Sendable, Codable, Equatable {
    /// Requirement files of pip, relative to the work tree.
    public var requirements: [String]
    /// The interpreter that the environment is made with.
    public var python: String

    public init(requirements: [String], python: String = "python3") {
        self.requirements = requirements
        self.python = python
    }
}
