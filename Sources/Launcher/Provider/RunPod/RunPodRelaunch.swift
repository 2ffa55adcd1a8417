internal import RunPod
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Starts a run again whose spot pod was taken away.
///
/// All that it needs is in the old pod's listing, or on the machine that bought it: any laptop with the key can do it.
struct RunPodRelaunch {
    let account: RunPodAccount
    let index: RunPodIndex
    let old: Pod

    /// Two machines that act on the same loss use the same id, so that they find each other's pod.
    private var launch: String {
        String(SHA256Digest(of: "after \(old.launch)").description.prefix(old.launch.utf8.count))
    }

    /// The new pod, with the create that made it; the create is nil if the old pod was started again. Throws
    /// `OfferGone` if there is none at the moment.
    func start() async throws -> (pod: RentedPod, creation: PodCreation?) {
        let rented = try await account.client.pod(old.id)
        let known = index.entries[old.run].flatMap { $0.pod == old.id ? $0.creation : nil }
        guard var creation = rented.flatMap(PodCreation.init(like:)) ?? known else {
            throw Failure(
                .unknown, "nothing shows how pod \"\(old.id)\" was made", hint: "use \"launch run\" with its config")
        }
        try checkLimit(try spec(creation))
        creation.name = RunPodName(run: old.run, launch: launch, isSpot: true).description
        switch old.place {
        case .network: return try await replace(creation)
        case .ownDisk, .folder: return (try await restart(rented, creation), nil)
        }
    }

    private func checkLimit(_ spec: RunSpec) throws {
        let taken = (spec.launch.continues ?? []).count
        guard let limit = spec.retry.preempted, taken >= limit else { return }
        throw RelaunchRefused(
            reason: "its pods were taken away \(taken + 1) times, and retry.preempted is \(limit)")
    }

    private func replace(_ creation: PodCreation) async throws -> (pod: RentedPod, creation: PodCreation?) {
        let client = try account.client
        var tried: [String] = []
        for offer in try await RunPodOffers(client: client, order: try order(creation)).all() {
            var creation = creation
            creation.dataCenterIds = offer.datacenters.isEmpty ? nil : offer.datacenters
            try renew(&creation, price: offer.price)
            do {
                let name = RunPodName(run: old.run, launch: launch)
                let pod = try await RunPodPurchase(client: client, name: name, ended: [old.id]).buy(creation, offer)
                return (pod, creation)
            } catch let gone as OfferGone {
                tried.append("\(gone)")
            }
        }
        throw OfferGone(tried.isEmpty ? "no spot pod is free" : tried.joined(separator: "; "))
    }

    private func restart(_ rented: RentedPod?, _ creation: PodCreation) async throws -> RentedPod {
        guard var pod = rented else {
            throw Failure(
                .unknown, "pod \"\(old.id)\" was deleted, and its own disk with all results of \"\(old.run)\"",
                hint: "a network volume outlives its pods")
        }
        let start = RunPodStart(client: try account.client, pod: old, count: creation.gpu.count)
        let bid = try await start.bid()
        var creation = creation
        try renew(&creation, price: bid * Double(creation.gpu.count))
        try await account.client.update(pod.id, name: creation.name, env: creation.env)
        try await start.perform(bid: bid)
        pod.name = creation.name
        pod.status = .starting
        return pod
    }

    /// An order for the same kind of pod.
    private func order(_ creation: PodCreation) throws -> PodOrder {
        var resources = Resources()
        resources.gpus = [creation.gpu.id]
        resources.gpuCount = creation.gpu.count
        resources.cloud = creation.cloud == .community ? .community : .secure
        resources.datacenters = creation.dataCenterIds ?? []
        resources.spot = .yes
        return PodOrder(spec: try spec(creation), place: old.place, resources: resources)
    }

    private func spec(_ creation: PodCreation) throws -> RunSpec {
        try JSON.decode(RunSpec.self, from: (creation.env["POD_AGENT_SPEC"] ?? "").utf8)
    }

    /// Makes the variables those of the new launch.
    private func renew(_ creation: inout PodCreation, price: Double?) throws {
        var spec = try spec(creation)
        // A chain of preemptions never forgets the launch that the user made.
        let before = (spec.launch.continues ?? []).filter { $0 != old.launch } + [old.launch]
        spec.launch = LaunchOrder(
            id: launch, force: spec.launch.force, supersedes: [old.id], price: price, bought: price.map { _ in Date() })
        spec.launch.continues = before
        creation.env["POD_AGENT_SPEC"] = try JSON.text(spec)
        let token = try account.token(launch: launch)
        creation.env["POD_AGENT_TOKEN_SHA256"] = SHA256Digest(of: token).description
    }
}
