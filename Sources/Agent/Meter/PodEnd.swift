internal import Shared

/// How a pod ends.
enum PodEnd: String, Sendable {
    /// The pod is stopped; the provider keeps its disks.
    case stop
    /// The pod is deleted with all that is on its own disks.
    case terminate

    /// Returns what may be done if the config asks for `rule`. The caller has checked that the volume outlives a deleted pod.
    init(_ rule: OnFinish?, isSafe: Bool) {
        self = rule == .terminate && isSafe ? .terminate : .stop
    }
}
