/// A checkpoint as it lies on a volume, whole or not.
public struct ListedCheckpoint: Sendable, Codable, Equatable {
    public var name: String
    /// The number in its name; nil if the name is fixed.
    public var step: Int?
    /// As the pod names it.
    public var path: String
    /// Size and time of each file by its path inside. A link counts as the file that it leads to.
    public var files: [String: FileStatus]

    public init(name: String, step: Int?, path: String, files: [String: FileStatus]) {
        self.name = name
        self.step = step
        self.path = path
        self.files = files
    }
}
