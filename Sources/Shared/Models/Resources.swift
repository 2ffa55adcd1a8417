/// The machine that a run asks a provider for.
public struct Resources: Sendable, Codable, Equatable {
    public enum Order: String, Sendable, Codable, CaseIterable { case listed, price }
    public enum Cloud: String, Sendable, Codable, CaseIterable { case secure, community, any }
    public enum Spot: String, Sendable, Codable { case no, yes, prefer }
    public enum Volume: Sendable, Codable, Equatable {
        case network(id: String, mount: String)
        /// A volume of the pod's own, `size` in GB.
        case pod(size: Int, mount: String)
        /// An absolute path of a folder of this machine; `local` only.
        case folder(String)
    }

    /// The provider's names of GPUs. Any of them will do; `order` says which is tried first.
    public var gpus: [String] = []
    public var gpuCount = 1
    public var order = Order.listed
    public var cloud = Cloud.secure
    public var spot = Spot.no
    /// The highest price for an hour of all GPUs together.
    public var maxPrice: Money?
    public var datacenters: [String] = []
    public var minCUDA: String?
    /// The container's disk in GB.
    public var disk = 50
    /// In the provider's form, such as `8000/http`.
    public var ports: [String] = []
    public var volume: Volume?

    public init() {}
}
