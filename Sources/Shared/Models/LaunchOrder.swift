#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// One deliberate `launch run`.
public struct LaunchOrder: Sendable, Codable, Equatable {
    /// A nonce: a restart of the pod's container keeps it, a new `launch run` changes it.
    public var id: String
    /// Begin a new lineage: checkpoints that exist are no candidates. Acts once for each id.
    public var force: Bool
    /// Pods proven dead, whose claims need not be waited for.
    public var supersedes: [String]
    /// US dollars for an hour of the pod, all GPUs together; nil where it is not known, or nothing.
    public var price: Double?
    /// Since when the pod is paid for.
    public var bought: Date?

    public init(
        id: String, force: Bool = false, supersedes: [String] = [], price: Double? = nil, bought: Date? = nil
    ) {
        self.id = id
        self.force = force
        self.supersedes = supersedes
        self.price = price
        self.bought = bought
    }
}
