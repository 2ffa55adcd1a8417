internal import Shared

/// The rules of a config that hold for one provider. They need no account and no provider that works on this machine.
protocol ProviderRules {
    /// Folder in the pod at which it sees the volume if the config names none; nil if no home is known.
    static func defaultMount(_ paths: Paths) -> String?

    /// Reports what the provider cannot do.
    static func check(_ config: Config, with reader: ConfigReader)

    /// The end of a pod that the config says nothing about; nil if it ends with its processes.
    static var defaultFinish: OnFinish? { get }
}

extension ProviderName {
    var rules: any ProviderRules.Type {
        switch self {
        case .local: LocalRules.self
        case .runpod: RunPodRules.self
        }
    }
}
