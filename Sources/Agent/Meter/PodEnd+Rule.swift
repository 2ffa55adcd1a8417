internal import Shared

extension PodEnd {
    /// The end that the config's `rule` allows. `isSafe` if the volume outlives a deleted pod.
    init(_ rule: OnFinish?, isSafe: Bool) {
        self = rule == .terminate && isSafe ? .terminate : .stop
    }
}
