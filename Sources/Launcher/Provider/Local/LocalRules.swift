internal import Shared

/// Pods that are process trees of this machine cost nothing and keep no secrets.
enum LocalRules: ProviderRules {
    static let defaultFinish: OnFinish? = nil

    static func defaultMount(_ paths: Paths) -> String? { paths.defaultVolume }

    static func check(_ config: Config, with reader: ConfigReader) {
        if config.limits.cost != nil {
            reader.report(
                reader.error(
                    at: "limits.cost", "\"limits.cost\" limits nothing: a run of \"provider: local\" costs nothing",
                    hint: "remove it, or limit the time with \"limits.duration\""))
        }
        checkResources(reader)
        let ofRunPod = config.secrets.filter { if case .runpod = $0.value { true } else { false } }
        if let name = ofRunPod.keys.min() {
            reader.report(
                reader.error(
                    at: "secrets.\(name)", "a secret of RunPod is for \"provider: runpod\" only",
                    hint: "write secrets: [\(name)] and set it in the environment or in .env"))
        }
    }

    /// Keys that describe a rented pod. The same config may be tried on this machine first.
    private static func checkResources(_ reader: ConfigReader) {
        let rented = [
            "image", "agent_port", "resources.gpus", "resources.gpu_count", "resources.order", "resources.cloud",
            "resources.max_price", "resources.datacenters", "resources.min_cuda", "resources.spot", "resources.disk",
            "resources.ports",
        ]
        for key in reader.given where rented.contains(key.path) {
            reader.warn(reader.error(at: key.path, "\"\(key.path)\" has no effect with \"provider: local\""))
        }
        let volumes = ["resources.volume.network", "resources.volume.size", "resources.volume.mount"]
        if let key = reader.given.first(where: { volumes.contains($0.path) }) {
            reader.report(
                reader.error(
                    at: key.path, "\"\(key.path)\" is for rented pods only",
                    hint: "give \"path\" of a folder, or leave the volume out"))
        }
    }
}
