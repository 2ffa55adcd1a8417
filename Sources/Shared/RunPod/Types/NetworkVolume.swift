public struct NetworkVolume: Sendable, Equatable, Codable {
    public var id: String
    public var name: String
    /// In GB.
    public var size: Int
    /// The only data centre whose pods can have it.
    public var dataCenter: String
    public var type: String?
}
