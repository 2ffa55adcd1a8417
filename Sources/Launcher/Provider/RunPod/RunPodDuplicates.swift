internal import RunPod

/// Pods that one launch bought twice: the answer to a create was lost, and its pod appeared after the next create.
enum RunPodDuplicates {
    /// Returns every live pod of a launch but the oldest one.
    static func all(among pods: [RentedPod]) -> [RentedPod] {
        let own = pods.filter { $0.status.isLive && RunPodName($0.name) != nil }
        let launches = Dictionary(grouping: own) { pod in
            RunPodName(pod.name).map { "\($0.run) \($0.launch)" } ?? pod.id
        }
        return launches.values.flatMap { $0.sorted(by: RunPodPurchase.isOlder).dropFirst() }
    }
}
