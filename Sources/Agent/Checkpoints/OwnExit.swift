internal import FoundationEssentials
internal import Glibc
internal import Shared

extension Receipts {
    /// Whether the attempt that saved a checkpoint was told to end before that save began, caught SIGTERM, and exited
    /// by itself: then the save has ended.
    func endedByItself(after checkpoint: CheckpointFolder.Candidate) -> Bool {
        guard let attempt = checkpoint.attempt, attempt > 0, let record = try? run.readRecord(attempt),
            record.exitedByItself, let asked = record.death?.teardown?.asked
        else { return false }
        let time = Int(asked.timeIntervalSince1970 * 1e9)
        return checkpoint.files.values.allSatisfy { $0.modified > time }
    }
}

extension AttemptRecord {
    /// Whether the training caught SIGTERM and exited before anything else reached it.
    var exitedByItself: Bool {
        guard case .code? = outcome?.exit, let signals = death?.teardown?.signals, !signals.isEmpty else {
            return false
        }
        return signals.allSatisfy { $0.target == .training && $0.number == SIGTERM && $0.isCaught == true }
    }
}
