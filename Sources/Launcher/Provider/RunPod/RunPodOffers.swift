internal import RunPod
internal import Shared

/// Finds what can be bought for an order: spot or not × kinds of GPU × clouds, in the order in which they are tried.
struct RunPodOffers {
    let client: RunPodClient
    let order: PodOrder

    private var resources: Resources { order.resources }

    /// Empty if the catalog has nothing that fits. Stock in the catalog only changes the order: it misleads both ways.
    func all() async throws -> [Offer] {
        switch resources.spot {
        case .no: try await onDemand()
        case .yes: try await spot()
        case .prefer: try await spot() + onDemand()
        }
    }

    private func spot() async throws -> [Offer] {
        var prices: [PodCreation.Cloud: [String: Double]] = [:]
        for cloud in clouds { prices[cloud] = try await client.spotPrices(count: resources.gpuCount, cloud: cloud) }
        let offers = try await onDemand().compactMap { offer -> Offer? in
            let cloud: PodCreation.Cloud = offer.cloud == .community ? .community : .secure
            guard let kind = offer.gpu, let bid = prices[cloud]?[kind] else { return nil }
            var spot = offer
            spot.isSpot = true
            spot.price = bid * Double(resources.gpuCount)
            spot.text += ", spot"
            return spot
        }
        return resources.order == .price ? offers.sorted { ($0.price ?? 0) < ($1.price ?? 0) } : offers
    }

    private func onDemand() async throws -> [Offer] {
        var found: [(offer: Offer, isListed: Bool)] = []
        for cloud in clouds {
            let catalog = try await client.gpus(count: resources.gpuCount, cloud: cloud)
            for gpu in try wanted(among: catalog) where fits(gpu, in: cloud) {
                found.append((offer(gpu, cloud), gpu.availability != "NONE"))
            }
        }
        let sorted = resources.order == .price || resources.gpus.isEmpty ? byPrice(found) : byWish(found)
        return sorted.filter(\.isListed).map(\.offer) + sorted.filter { !$0.isListed }.map(\.offer)
    }

    private var clouds: [PodCreation.Cloud] {
        // Network volumes exist only in the secure cloud.
        if case .network = order.place { return [.secure] }
        return switch resources.cloud {
        case .secure: [.secure]
        case .community: [.community]
        case .any: [.secure, .community]
        }
    }

    /// The kinds that the config names, in its order; all if it names none.
    private func wanted(among catalog: [CatalogGPU]) throws -> [CatalogGPU] {
        if resources.gpus.isEmpty { return catalog }
        return try resources.gpus.map { name in
            if let gpu = catalog.first(where: { $0.answers(to: name) }) { return gpu }
            throw Failure(
                .config, "RunPod has no GPU \"\(name)\"",
                hint: "it has: \(catalog.map(\.name).sorted().joined(separator: ", "))")
        }
    }

    private func fits(_ gpu: CatalogGPU, in cloud: PodCreation.Cloud) -> Bool {
        let price = price(gpu, cloud)
        if let limit = resources.maxPrice?.dollars, price.map({ $0 > limit }) ?? false { return false }
        let most = cloud == .secure ? gpu.maxCount?.secure : gpu.maxCount?.community
        return gpu.isIn(cloud) && (most ?? .max) >= resources.gpuCount
    }

    private func price(_ gpu: CatalogGPU, _ cloud: PodCreation.Cloud) -> Double? {
        gpu.price(cloud).flatMap { $0 > 0 ? $0 * Double(resources.gpuCount) : nil }
    }

    private func offer(_ gpu: CatalogGPU, _ cloud: PodCreation.Cloud) -> Offer {
        let place = resources.datacenters.isEmpty ? "" : " in \(resources.datacenters.joined(separator: " or "))"
        var offer = Offer(
            text: "\(resources.gpuCount) × \(gpu.name), \(cloud == .secure ? "secure" : "community")\(place)")
        offer.price = price(gpu, cloud)
        offer.gpu = gpu.id
        offer.cloud = cloud == .secure ? .secure : .community
        return offer
    }

    private func byPrice(_ found: [(offer: Offer, isListed: Bool)]) -> [(offer: Offer, isListed: Bool)] {
        found.sorted { ($0.offer.price ?? .infinity) < ($1.offer.price ?? .infinity) }
    }

    /// The first kind in all clouds, then the second one.
    private func byWish(_ found: [(offer: Offer, isListed: Bool)]) -> [(offer: Offer, isListed: Bool)] {
        var kinds: [String?] = []
        for (offer, _) in found where !kinds.contains(offer.gpu) { kinds.append(offer.gpu) }
        return kinds.flatMap { kind in found.filter { $0.offer.gpu == kind } }
    }
}

extension CatalogGPU {
    /// Whether a person means this kind by `name`: its id or its name, without case.
    func answers(to name: String) -> Bool {
        [id, self.name].contains { $0.lowercased() == name.lowercased() }
    }
}
