/// A volume that a provider keeps. The JSON form is stable: fields are added, never renamed.
struct StoredVolume: Sendable, Encodable, Equatable {
    var id: String
    var name: String
    /// In GB.
    var size: Int
    /// The only data centre whose pods can have it.
    var datacenter: String
    /// US dollars for a month.
    var price: Double
}
