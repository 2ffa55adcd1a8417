/// The volume of a pod: one of the network, or a disk of its own.
public struct PodMounts: Sendable, Equatable, Codable {
    public var network: [Network]?
    public var persistent: Persistent?

    public struct Network: Sendable, Equatable, Codable {
        public var volumeId: String
        public var path: String
    }

    public struct Persistent: Sendable, Equatable, Codable {
        /// In GB; 10 at least.
        public var size: Int
        public var path: String
    }

    public static func network(_ id: String, at path: String) -> PodMounts {
        PodMounts(network: [Network(volumeId: id, path: path)])
    }

    public static func persistent(_ size: Int, at path: String) -> PodMounts {
        PodMounts(persistent: Persistent(size: max(10, size), path: path))
    }
}
