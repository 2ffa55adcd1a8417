internal import RunPod
internal import Shared

/// Starts a stopped pod again, on the host that has its disk.
struct RunPodStart {
    let client: RunPodClient
    let pod: Pod
    /// GPUs of the pod.
    let count: Int

    /// Returns the price of one GPU of a spot pod, in US dollars for an hour. Throws `OfferGone` if no spot pod is
    /// free.
    func bid() async throws -> Double {
        guard let rented = try await client.pod(pod.id), let gpu = rented.gpu else {
            throw Failure(.unknown, "pod \"\(pod.id)\" was deleted, and its own disk with it")
        }
        let cloud = rented.cloud.flatMap(PodCreation.Cloud.init) ?? .secure
        guard let bid = try await client.spotPrices(count: count, cloud: cloud)[gpu.id] else {
            throw OfferGone("no spot pod is free")
        }
        return bid
    }

    /// Returns the price of all GPUs in US dollars for an hour. A stopped pod shows none; nil if the catalog shows
    /// none.
    func price() async throws -> Double? {
        guard let rented = try await client.pod(pod.id), let gpu = rented.gpu else { return nil }
        let cloud = rented.cloud.flatMap(PodCreation.Cloud.init) ?? .secure
        let kind = try await client.gpus(count: count, cloud: cloud).first { $0.id == gpu.id }
        return kind?.price(cloud).flatMap { $0 > 0 ? $0 * Double(count) : nil }
    }

    /// `bid` is that of a spot pod; nil for every other pod. Throws `OfferGone` if its host has no free GPU.
    func perform(bid: Double?) async throws {
        do {
            if let bid {
                try await client.resumeSpot(pod.id, bid: bid, count: count)
            } else {
                try await client.act(.start, on: pod.id)
            }
        } catch {
            if error.kind == .conflict, try await client.pod(pod.id)?.status.isLive == true { return }
            guard error.kind == .noCapacity else { throw error }
            throw OfferGone(
                "the host of pod \"\(pod.id)\" has no free GPU, and no other host has the pod's own disk")
        }
    }
}
