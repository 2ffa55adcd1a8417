internal import RunPod
internal import Shared

/// Turns an order into the body of a create.
struct RunPodOrder {
    let order: PodOrder
    /// SHA-256 of the token that the pod's agent accepts.
    let tokenDigest: String
    /// Variables for the order's secrets: placeholders of the account's secrets, or values.
    let secrets: [String: String]

    /// The agent's place in the image.
    private static let program = "/usr/local/bin/pod-agent"
    /// GB of the pod's own volume if the config says nothing.
    static let defaultVolume = 20

    func creation(at offer: Offer) throws -> PodCreation {
        let spec = order.spec
        var creation = PodCreation(
            name: RunPodName(run: spec.run, launch: spec.launch.id, isSpot: offer.isSpot).description,
            image: order.image ?? "",
            gpu: PodCreation.GPU(
                id: offer.gpu ?? "", count: order.resources.gpuCount, minCudaVersion: order.resources.minCUDA),
            cloud: offer.cloud == .community ? .community : .secure, disk: order.resources.disk, ports: order.ports,
            env: try variables())
        creation.mounts = mounts
        creation.dataCenterIds = order.resources.datacenters.isEmpty ? nil : order.resources.datacenters
        creation.entrypoint = [Self.program]
        creation.cmd = ["init"]
        return creation
    }

    func variables() throws -> [String: String] {
        var variables = secrets
        variables["POD_AGENT_SPEC"] = try JSON.text(order.spec)
        variables["POD_AGENT_TOKEN_SHA256"] = tokenDigest
        variables["POD_AGENT_COMMIT"] = order.commit
        if !order.notify.isEmpty { variables["POD_AGENT_NOTIFY"] = try JSON.text(order.notify) }
        return variables
    }

    private var mounts: PodMounts? {
        switch order.place {
        case .network(let id, let mount): return .network(id, at: mount)
        case .ownDisk(let mount):
            if case .pod(let size, _) = order.resources.volume { return .persistent(size, at: mount) }
            return .persistent(Self.defaultVolume, at: mount)
        case .folder: return nil
        }
    }
}
