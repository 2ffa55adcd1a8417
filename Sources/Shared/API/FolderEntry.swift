/// One line of a folder's listing, `GET /v1/files/PATH`.
public struct FolderEntry: Sendable, Codable, Equatable {
    public enum Kind: String, Sendable, Codable {
        case file
        case folder
        case link
        /// A device, a pipe or a socket. The API serves none.
        case other
    }

    /// Bytes that are not UTF-8 are replaced.
    public var name: String
    public var kind: Kind
    public var size: Int
    /// Nanoseconds since 1970.
    public var modified: Int

    public init(name: String, kind: Kind, size: Int, modified: Int) {
        self.name = name
        self.kind = kind
        self.size = size
        self.modified = modified
    }
}
