/// A kind of GPU that a provider rents out. The JSON form is stable: fields are added, never renamed.
struct GPUKind: Sendable, Encodable, Equatable {
    /// The name that a config uses.
    var name: String
    /// In GB.
    var memory: Int?
    var cloud: String
    /// US dollars for an hour of all GPUs that were asked for.
    var price: Double?
    /// The same as a spot pod; nil if none is free.
    var spotPrice: Double?
    /// The provider's word for its stock. It misleads both ways.
    var stock: String
    var datacenters: [String]
}
