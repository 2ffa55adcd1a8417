/// The body of `POST /v2/pods` for a pod without a GPU that has a network volume.
public struct CPUPodCreation: Sendable, Equatable, Codable {
    public var name: String
    public var image: String
    public var cpu: CPU
    public var cloud = PodCreation.Cloud.secure
    /// The container's disk in GB.
    public var disk = 20
    public var mounts: PodMounts
    public var ports: [String]
    public var env: [String: String]
    public var entrypoint: [String]
    public var cmd: [String]

    public struct CPU: Sendable, Equatable, Codable {
        public var id: String
        /// A power of two.
        public var vcpuCount: Int
    }

    /// The smallest pod of `kind`.
    public init(
        name: String, image: String, kind: CatalogCPU, mounts: PodMounts, port: Int, env: [String: String],
        command: [String]
    ) {
        self.name = name
        self.image = image
        cpu = CPU(id: kind.id, vcpuCount: kind.vcpu.min)
        self.mounts = mounts
        ports = ["\(port)/http"]
        self.env = env
        entrypoint = Array(command.prefix(1))
        cmd = Array(command.dropFirst())
    }
}
