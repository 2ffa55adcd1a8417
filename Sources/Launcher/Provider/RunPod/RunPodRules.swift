internal import Shared

/// Pods of RunPod need an image, and lose their own disk when they are deleted.
enum RunPodRules: ProviderRules {
    static let defaultFinish: OnFinish? = .stop

    /// Where a pod sees its volume if the config says nothing.
    static let mount = "/workspace"

    static func defaultMount(_ paths: Paths) -> String? { mount }

    static func check(_ config: Config, with reader: ConfigReader) {
        checkImage(config, with: reader)
        if config.resources.spot != .no {
            reader.warn(
                reader.error(
                    at: "resources.spot", "RunPod means to retire its API for spot pods early in 2027",
                    hint: "\"spot: prefer\" takes other pods once it is gone"))
        }
        if case .folder = config.resources.volume {
            reader.report(
                reader.error(
                    at: "resources.volume.path", "\"resources.volume.path\" is for \"provider: local\" only",
                    hint: "give a \"network\" volume or a \"size\""))
        }
        if case .pod = config.resources.volume, config.onFinish == .terminate, config.mirror == nil {
            reader.report(
                reader.error(
                    at: "on_finish", "\"on_finish: terminate\" would delete the pod's own volume with all results",
                    hint: "use \"stop\", or a network volume"))
        }
    }

    private static func checkImage(_ config: Config, with reader: ConfigReader) {
        guard let image = config.image else {
            reader.report(reader.error(at: "provider", "\"provider: runpod\" needs an \"image\""))
            return
        }
        if !image.contains("@sha256:") {
            reader.warn(
                reader.error(
                    at: "image", "\"image\" has no digest, so its tag may name another image in the next attempt",
                    hint: "such as name:tag@sha256:…"))
        }
    }
}
