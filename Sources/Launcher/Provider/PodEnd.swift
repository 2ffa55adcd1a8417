/// A way to end a pod.
enum PodEnd: Sendable, Equatable {
    /// As its host would: SIGTERM, and some seconds to leave.
    case interrupt
    /// It can be started again, and keeps its own disk.
    case stop
    /// It is deleted.
    case terminate
}
