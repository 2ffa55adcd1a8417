internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// A pod as its provider shows it now.
struct Pod: Sendable, Equatable {
    var provider: ProviderName
    var id: String
    var run: RunID
    /// The launch that it was last started for, `LaunchOrder.id`.
    var launch: String
    var state: State
    /// The run's volume.
    var place: PodPlace
    /// US dollars for an hour of all its GPUs; nil if that is not known, or nothing.
    var price: Double?
    var created: Date
    /// Address of the agent's API; nil until it is known.
    var address: String?
    /// The provider may take it away.
    var isSpot = false
    /// A mark on it says that the run has ended for good: it finished, or its user stopped it on some machine.
    var isOver = false

    enum State: Sendable, Equatable {
        /// The provider is making it ready; its own words for how far it is.
        case provisioning(String)
        case running
        /// Its processes have ended and it can be started again.
        case exited(String)
        /// It cannot be started again.
        case gone(String)
        /// This machine cannot tell: the pod belongs to another container, say.
        case unseen(String)

        /// Why the pod does not run; nil if it does.
        var reason: String? {
            switch self {
            case .running: nil
            case .provisioning(let reason), .exited(let reason), .gone(let reason), .unseen(let reason): reason
            }
        }
    }

    /// Whether it runs, or is about to.
    var isRunning: Bool {
        switch state {
        case .provisioning, .running: true
        case .exited, .gone, .unseen: false
        }
    }

    /// Whether the provider has proof that its processes have ended.
    var hasEnded: Bool {
        switch state {
        case .exited, .gone: true
        case .provisioning, .running, .unseen: false
        }
    }
}
