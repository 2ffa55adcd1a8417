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
        let ofRunPod = config.secrets.filter { if case .runpod = $0.value { true } else { false } }
        if let name = ofRunPod.keys.min() {
            reader.report(
                reader.error(
                    at: "secrets.\(name)", "a secret of RunPod is for \"provider: runpod\" only",
                    hint: "write secrets: [\(name)] and set it in the environment or in .env"))
        }
    }
}
