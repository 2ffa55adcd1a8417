internal import Shared

/// How often a training that was told to end saved before it did.
struct SavesOnSignal: Encodable, Equatable {
    var saved: Int
    /// Attempts that were told to end while they trained, of a run that saves checkpoints.
    var told: Int

    /// nil where none was told.
    init?(of attempts: [AttemptRecord]) {
        let answers = attempts.compactMap { $0.death?.savedOnSignal }
        guard !answers.isEmpty else { return nil }
        saved = answers.count { $0 }
        told = answers.count
    }

    var text: String { "\(saved) of \(told)" }
}
