/// A kind of GPU in the catalog.
public struct CatalogGPU: Sendable, Equatable, Decodable {
    public var id: String
    public var name: String
    /// In GB.
    public var memory: Int?
    public var secure: Bool?
    public var community: Bool?
    /// US dollars for an hour of one GPU.
    public var price: Price?
    /// The largest number for one pod.
    public var maxCount: Count?
    /// `NONE`, `LOW`, `MEDIUM` or `HIGH`. It misleads both ways.
    public var availability: String?
    public var dataCenters: [Stock]?

    public struct Price: Sendable, Equatable, Decodable {
        public var secure: Double?
        public var community: Double?
    }

    public struct Count: Sendable, Equatable, Decodable {
        public var secure: Int?
        public var community: Int?
    }

    public struct Stock: Sendable, Equatable, Decodable {
        public var id: String
        public var availability: String?
    }

    public func price(_ cloud: PodCreation.Cloud) -> Double? {
        switch cloud {
        case .secure: price?.secure
        case .community: price?.community
        }
    }

    /// Whether the cloud has this kind at all.
    public func isIn(_ cloud: PodCreation.Cloud) -> Bool {
        switch cloud {
        case .secure: secure ?? true
        case .community: community ?? true
        }
    }
}
