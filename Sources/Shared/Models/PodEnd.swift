/// The end of a pod that the provider carries out.
public enum PodEnd: String, Sendable, Codable {
    /// The pod is stopped; the provider keeps its disks.
    case stop
    /// The pod is deleted with all that is on its own disks.
    case terminate
}
