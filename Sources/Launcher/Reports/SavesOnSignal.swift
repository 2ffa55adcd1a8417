internal import Shared

/// Counts the attempts that saved after the request to end.
struct SavesOnSignal: Encodable, Equatable {
    var saved: Int
    /// Attempts that got the request while they trained, in a run that saves checkpoints.
    var asked: Int

    /// nil if no attempt got one.
    init?(of attempts: [AttemptRecord]) {
        let answers = attempts.compactMap { $0.death?.savedOnSignal }
        guard !answers.isEmpty else { return nil }
        saved = answers.count { $0 }
        asked = answers.count
    }

    var text: String { "\(saved) of \(asked)" }
}
