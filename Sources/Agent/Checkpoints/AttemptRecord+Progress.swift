internal import Shared

extension AttemptRecord {
    /// Whether the attempt failed before its first step and without a new checkpoint.
    var failedEarly: Bool { outcome?.kind.isFault == true && step == nil && !madeProgress }

    /// Whether the training could not load the checkpoint that it resumed from, as far as known. One that lasted longer
    /// may have made steps that were not read.
    var failedToLoad: Bool { failedEarly && resumedFrom != nil && (seconds ?? 0) < Self.maxLoadingSeconds }

    private static let maxLoadingSeconds = 900.0

    /// Whether that checkpoint was unproven. It gives way to another one, or to a fresh start.
    var givesWay: Bool { failedToLoad && resumedProven == false }

    /// Whether the attempt trained, and its newest proven checkpoint is newer than the one that it resumed from.
    var madeProgress: Bool {
        guard began(.training) != nil, let proven = checkpoints?.proven else { return false }
        return resumedFrom.map(proven.isNewer) ?? true
    }
}
