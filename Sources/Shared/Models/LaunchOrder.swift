#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// One deliberate `launch run`.
public struct LaunchOrder: Sendable, Codable, Equatable {
    /// A nonce. A restart of the pod's container keeps it; a new `launch run` changes it.
    public var id: String
    /// Begins a new lineage, which ignores existing checkpoints. It acts once for each id.
    public var force: Bool
    /// Pods that are proven dead. Agents do not wait for their claims.
    public var supersedes: [String]
    /// The launches that this one continues, because the provider took their pods away; the first one at the front. nil
    /// if a user made the launch. If one of them proves to be over, or a newer launch took the run over, so is this
    /// one.
    public var continues: [String]?
    /// The launcher could not read the volume: if the run has finished with the same spec, nothing is left to do.
    public var isBlind: Bool?
    /// US dollars for an hour of the pod, all GPUs together; nil if it is unknown or nothing.
    public var price: Double?
    /// The time at which the pod was bought.
    public var bought: Date?
    /// Lines about what `launch` did to the user's files and settings. nil if there are none.
    public private(set) var notes: [String]?

    public init(
        id: String, force: Bool = false, supersedes: [String] = [], price: Double? = nil, bought: Date? = nil,
        notes: [String] = []
    ) {
        self.id = id
        self.force = force
        self.supersedes = supersedes
        self.price = price
        self.bought = bought
        // The order goes to the pod in a variable, whose size is limited.
        self.notes = notes.isEmpty ? nil : notes.prefix(20).map(\.shortened)
    }

    /// Whether `launch` is this one, or one that this one continues.
    public func covers(_ launch: String) -> Bool { launch == id || continues?.contains(launch) == true }
}
