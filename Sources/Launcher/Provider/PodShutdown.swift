internal import Shared

/// A way to shut a pod down.
enum PodShutdown: Sendable, Equatable {
    /// The host's way: SIGTERM, and some seconds to save.
    case interrupt
    /// The provider's way.
    case end(PodEnd)
}
