internal import Shared

/// How a pod ends.
enum PodEnd: String, Sendable {
    /// The pod is stopped; the provider keeps its disks.
    case stop
    /// The pod is deleted with all that is on its own disks.
    case terminate

    /// Returns `terminate` only if `rule` asks for it and `isSafe`: nothing of the run is lost with the pod.
    init(_ rule: OnFinish?, isSafe: Bool) {
        self = rule == .terminate && isSafe ? .terminate : .stop
    }
}
