/// What becomes of the pod at the end of its run.
public enum OnFinish: String, Sendable, Codable {
    /// It is stopped; what the provider keeps of it can be started again.
    case stop
    /// It is deleted. Only where the volume outlives it, and never before all that matters is proven to be there.
    case terminate
}
