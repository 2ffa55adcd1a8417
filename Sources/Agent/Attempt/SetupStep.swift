internal import Shared

/// The steps before the training, in their order.
enum SetupStep: Sendable, Equatable, CaseIterable {
    /// Checks that the pod and the volume can carry a training.
    case preflight
    /// Puts the code into the work tree.
    case syncing
    /// Makes or finds the Python environment.
    case installing
    /// Chooses the checkpoint.
    case resuming

    /// The attempt's state while it takes this step.
    var state: AttemptState {
        switch self {
        case .preflight: .preflight
        case .syncing: .syncing
        case .installing: .installing
        case .resuming: .resuming
        }
    }

    /// The step after this one; nil if the training is next.
    var next: SetupStep? {
        let rest = Self.allCases.drop { $0 != self }.dropFirst()
        return rest.first
    }
}

extension AttemptState {
    /// Whether the attempt takes a step before its training.
    var isSetup: Bool { SetupStep.allCases.contains { $0.state == self } }

    /// Whether the attempt has children to end: those of a setup step, or the training.
    var isActive: Bool { isSetup || self == .training }
}
