/// A pod as REST v2 shows it. Fields that are of no use here are left out.
public struct RentedPod: Sendable, Equatable, Decodable {
    public var id: String
    public var name: String
    public var status: Status
    public var image: String?
    public var env: [String: String]?
    public var ports: [String]?
    public var mounts: PodMounts?
    public var gpu: GPU?
    public var cloud: String?
    public var dataCenterId: String?
    /// US dollars for an hour of all GPUs; 0 if the pod does not run.
    public var cost: Double?
    public var disk: Int?
    public var cmd: [String]?
    public var entrypoint: [String]?
    public var createdAt: WireTime?
    /// nil while no container runs, also while the status is `running`.
    public var runtime: Runtime?

    public struct GPU: Sendable, Equatable, Decodable {
        public var id: String
        public var count: Int?
    }

    public struct Runtime: Sendable, Equatable, Decodable {
        /// In seconds. It begins anew when the container restarts.
        public var uptime: Int?
    }

    public enum Status: Sendable, Equatable, Decodable {
        case provisioning, starting, running, exited, error, terminated
        /// A word that this program does not know.
        case other(String)

        public init(_ word: String) {
            self =
                switch word {
                case "PROVISIONING": .provisioning
                case "STARTING": .starting
                case "RUNNING": .running
                case "EXITED": .exited
                case "ERROR": .error
                case "TERMINATED": .terminated
                default: .other(word)
                }
        }

        public init(from decoder: any Decoder) throws {
            self.init(try decoder.singleValueContainer().decode(String.self))
        }
    }
}
