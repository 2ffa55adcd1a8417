/// Spot pods, which RunPod may take away. REST v2 has none; RunPod means to retire GraphQL early in 2027.
extension RunPodClient {
    /// `podRentInterruptable`. Returns the pod's id. `bid` is in US dollars for an hour of one GPU.
    public func rentSpot(_ body: PodCreation, bid: Double) async throws(RunPodError) -> String {
        struct Reply: Decodable {
            struct Pod: Decodable {
                var id: String
            }
            /// nil means no capacity, too.
            var podRentInterruptable: Pod?
        }
        let reply: Reply = try await graphQL(
            "mutation($input: PodRentInterruptableInput!) { podRentInterruptable(input: $input) { id } }",
            ["input": try SpotInput(body, bid: bid)], isRead: false,
            doing: "rent a spot pod with \(body.gpu.count) × \(body.gpu.id)")
        guard let pod = reply.podRentInterruptable else {
            throw RunPodError(.noCapacity, "RunPod has no spot pod with \(body.gpu.count) × \(body.gpu.id) now")
        }
        return pod.id
    }

    /// `podBidResume`: starts a spot pod that was taken away or stopped, on its own host.
    public func resumeSpot(_ id: String, bid: Double, count: Int) async throws(RunPodError) {
        struct Input: Encodable, Sendable {
            var podId: String
            var bidPerGpu: Double
            var gpuCount: Int
        }
        struct Reply: Decodable {}
        let _: Reply = try await graphQL(
            "mutation($input: PodBidResumeInput!) { podBidResume(input: $input) { id } }",
            ["input": Input(podId: id, bidPerGpu: bid, gpuCount: count)], isRead: false,
            doing: "start spot pod \"\(id)\" again")
    }

    /// The lowest bid for one GPU, by kind, in US dollars for an hour. A kind without a free machine is missing.
    public func spotPrices(count: Int, cloud: PodCreation.Cloud) async throws(RunPodError) -> [String: Double] {
        struct Reply: Decodable {
            struct Kind: Decodable {
                struct Lowest: Decodable {
                    var minimumBidPrice: Double?
                }
                var id: String
                var lowestPrice: Lowest?
            }
            var gpuTypes: [Kind]
        }
        let filter = "gpuCount: \(count), secureCloud: \(cloud == .secure)"
        let reply: Reply = try await graphQL(
            "query { gpuTypes { id lowestPrice(input: {\(filter)}) { minimumBidPrice } } }", [String: String](),
            isRead: true, doing: "list the spot prices")
        let prices = reply.gpuTypes.compactMap { kind in kind.lowestPrice?.minimumBidPrice.map { (kind.id, $0) } }
        return Dictionary(prices.filter { $0.1 > 0 }) { first, _ in first }
    }
}

/// The input of `podRentInterruptable`.
private struct SpotInput: Encodable, Sendable {
    struct Variable: Encodable, Sendable {
        var key: String
        var value: String
    }

    var name: String
    var imageName: String
    var gpuTypeId: String
    var gpuCount: Int
    var bidPerGpu: Double
    var cloudType: String
    var containerDiskInGb: Int
    var volumeInGb: Int
    var volumeMountPath: String?
    var networkVolumeId: String?
    var dataCenterId: String?
    var minCudaVersion: String?
    var ports: String
    var env: [Variable]
    /// JSON with the lists `cmd` and `entrypoint`.
    var dockerArgs: String

    init(_ body: PodCreation, bid: Double) throws(RunPodError) {
        name = body.name
        imageName = body.image
        gpuTypeId = body.gpu.id
        gpuCount = body.gpu.count
        bidPerGpu = bid
        cloudType = body.cloud.rawValue
        containerDiskInGb = body.disk
        volumeInGb = body.mounts?.persistent?.size ?? 0
        volumeMountPath = body.mounts?.persistent?.path ?? body.mounts?.network?.first?.path
        networkVolumeId = body.mounts?.network?.first?.volumeId
        dataCenterId = body.dataCenterIds?.first
        minCudaVersion = body.gpu.minCudaVersion
        ports = body.ports.joined(separator: ",")
        env = body.env.sorted { $0.key < $1.key }.map { Variable(key: $0.key, value: $0.value) }
        let command = ["cmd": body.cmd ?? [], "entrypoint": body.entrypoint ?? []]
        guard let text = try? WireJSON.encode(command) else {
            throw RunPodError(.invalid, "the pod's command could not be written")
        }
        dockerArgs = String(decoding: text, as: UTF8.self)
    }
}
