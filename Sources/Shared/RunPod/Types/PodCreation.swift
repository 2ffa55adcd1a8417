/// The body of `POST /v2/pods`.
public struct PodCreation: Sendable, Equatable, Codable {
    public var name: String
    public var image: String
    public var gpu: GPU
    public var cloud: Cloud
    /// nil: anywhere.
    public var dataCenterIds: [String]?
    /// The container's disk in GB. RunPod refuses a body without it.
    public var disk: Int
    public var mounts: PodMounts?
    public var ports: [String]
    public var env: [String: String]
    /// nil: those of the image.
    public var cmd: [String]?
    public var entrypoint: [String]?

    public struct GPU: Sendable, Equatable, Codable {
        public var id: String
        /// Always sent: without it RunPod reports no capacity.
        public var count: Int
        public var minCudaVersion: String?

        public init(id: String, count: Int, minCudaVersion: String? = nil) {
            self.id = id
            self.count = count
            self.minCudaVersion = minCudaVersion
        }
    }

    public enum Cloud: String, Sendable, Equatable, Codable {
        case secure = "SECURE"
        case community = "COMMUNITY"
    }

    /// A create that would make the same pod again; nil if RunPod does not show enough of it.
    public init?(like pod: RentedPod) {
        guard let image = pod.image, let kind = pod.gpu else { return nil }
        self.init(
            name: pod.name, image: image, gpu: GPU(id: kind.id, count: kind.count ?? 1),
            cloud: pod.cloud.flatMap(Cloud.init) ?? .secure, disk: pod.disk ?? 50, ports: pod.ports ?? [],
            env: pod.env ?? [:])
        mounts = pod.mounts
        cmd = pod.cmd
        entrypoint = pod.entrypoint
    }

    public init(
        name: String, image: String, gpu: GPU, cloud: Cloud, disk: Int, ports: [String], env: [String: String]
    ) {
        self.name = name
        self.image = image
        self.gpu = gpu
        self.cloud = cloud
        self.disk = disk
        self.ports = ports
        self.env = env
    }
}
