internal import RunPod
internal import Shared

extension RunPodProvider: Market {
    var market: (any Market)? { self }

    func kinds(count: Int) async throws -> [GPUKind] {
        let client = try account.client
        var found: [GPUKind] = []
        for cloud in [PodCreation.Cloud.secure, .community] {
            // Spot prices are only at GraphQL, which RunPod means to retire.
            let spot = (try? await client.spotPrices(count: count, cloud: cloud)) ?? [:]
            for gpu in try await client.gpus(count: count, cloud: cloud) {
                guard gpu.isIn(cloud), let price = gpu.price(cloud), price > 0, gpu.fits(count, in: cloud) else {
                    continue
                }
                found.append(
                    GPUKind(
                        name: gpu.name, memory: gpu.memory, cloud: cloud == .secure ? "secure" : "community",
                        price: price * Double(count), spotPrice: spot[gpu.id].map { $0 * Double(count) },
                        stock: (gpu.availability ?? "unknown").lowercased(),
                        datacenters: (gpu.dataCenters ?? []).filter { $0.availability != "NONE" }.map(\.id)))
            }
        }
        return found.sorted { ($0.price ?? .infinity, $0.name) < ($1.price ?? .infinity, $1.name) }
    }

    func volumes() async throws -> [StoredVolume] {
        try await account.client.networkVolumes().map(StoredVolume.init)
    }

    func createVolume(name: String, size: Int, datacenter: String) async throws -> StoredVolume {
        StoredVolume(try await account.client.createNetworkVolume(name: name, size: size, dataCenter: datacenter))
    }

    func funds() async throws -> Funds {
        let (credit, perHour) = try await account.client.balance()
        return Funds(credit: credit, perHour: perHour ?? 0)
    }

    func examine(_ config: Config?) async -> [Finding] {
        await RunPodDoctor(account: account, config: config).findings()
    }

    func shell(into pod: Pod) async throws -> [String]? {
        guard let ssh = try await account.client.pod(pod.id)?.ssh, let access = ssh.direct ?? ssh.proxy else {
            return nil
        }
        return ["ssh", "-p", "\(access.port)", "\(access.username)@\(access.host)"]
    }
}

extension StoredVolume {
    /// US dollars for a GB and month: RunPod's price of the first TB, and of what is above.
    private static let prices = (first: 0.07, above: 0.05)

    init(_ volume: NetworkVolume) {
        let first = min(volume.size, 1000)
        let price = Double(first) * Self.prices.first + Double(volume.size - first) * Self.prices.above
        self.init(
            id: volume.id, name: volume.name, size: volume.size, datacenter: volume.dataCenter, price: price)
    }
}

extension CatalogGPU {
    func fits(_ count: Int, in cloud: PodCreation.Cloud) -> Bool {
        let most = cloud == .secure ? maxCount?.secure : maxCount?.community
        return (most ?? .max) >= count
    }
}
