internal import Shared

/// A kind of pod that a provider would create now.
struct Offer: Sendable, Equatable {
    /// For a person, such as `2 × H100 SXM, spot, in EU-RO-1`.
    var text: String
    /// US dollars for an hour of all GPUs; nil if it costs nothing, or the price is known only after the purchase.
    var price: Double?
    /// The provider may take the pod away at any time.
    var isSpot = false
    /// The provider's name for the kind of GPU; nil if the pod gets none of its own.
    var gpu: String?
    /// The part of the provider that it comes from; nil if the provider has no parts.
    var cloud: Resources.Cloud?
    var datacenter: String?
}
