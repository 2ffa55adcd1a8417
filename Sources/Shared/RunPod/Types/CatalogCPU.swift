/// A kind of pod without a GPU in the catalog.
public struct CatalogCPU: Sendable, Equatable, Decodable {
    public var id: String
    public var name: String
    public var vcpu: Range
    public var price: Price
    /// `NONE`, `LOW`, `MEDIUM` or `HIGH`.
    public var availability: String?

    public struct Range: Sendable, Equatable, Decodable {
        public var min: Int
        public var max: Int
    }

    public struct Price: Sendable, Equatable, Decodable {
        /// US dollars for an hour of one vCPU.
        public var securePerVcpu: Double
    }

    /// US dollars for an hour of the smallest pod.
    public var lowestPrice: Double { price.securePerVcpu * Double(vcpu.min) }
}
