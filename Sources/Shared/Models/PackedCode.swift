/// A source tree packed by `launch`, named by the SHA-256 of the pack.
public struct PackedCode: Sendable, Codable, Equatable {
    public var sha256: String
    /// Size of the pack in bytes.
    public var size: Int

    public init(sha256: String, size: Int) {
        self.sha256 = sha256
        self.size = size
    }
}
