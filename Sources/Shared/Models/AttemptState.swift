/// The state of an attempt. The cases are in the order of its life.
public enum AttemptState: String, Sendable, Codable, CaseIterable {
    case claiming
    /// The pod and the volume are checked.
    case preflight
    case syncing
    case installing
    case resuming
    case training
    case finishing
    /// The training of this attempt is over, and the next attempt follows after a pause.
    case waiting
    case ended
}
