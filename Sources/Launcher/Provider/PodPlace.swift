internal import Shared

/// The volume of a pod: where it is, and the folder in the pod at which its processes see it.
enum PodPlace: Sendable, Equatable {
    /// The folder `path` of this machine.
    case folder(path: String, mount: String)
    /// A volume of the provider's network.
    case network(id: String, mount: String)
    /// The pod's own disk, which is deleted with the pod.
    case ownDisk(mount: String)

    /// The same path on both sides, for pods that are processes of this machine.
    static func folder(_ path: String) -> PodPlace { .folder(path: path, mount: path) }

    /// The volume as the pod's processes see it.
    var mount: String {
        switch self {
        case .folder(_, let mount), .network(_, let mount), .ownDisk(let mount): mount
        }
    }

    /// The volume as this machine sees it; nil if it is elsewhere.
    var hostVolume: Volume? {
        if case .folder(let path, _) = self { Volume(root: path) } else { nil }
    }

    /// For a person.
    var text: String {
        switch self {
        case .folder(let path, _): path
        case .network(let id, _): "network volume \(id)"
        case .ownDisk: "the pod's own disk"
        }
    }
}
