internal import Shared

/// The attempts of a launch that resumed from a checkpoint and ended before their first step: the training could not
/// load it, as far as known.
struct LoadFailures: Sendable {
    struct Failure: Sendable, Equatable {
        var checkpoint: CheckpointReference
        var wasProven: Bool
    }

    /// The unbroken series of such attempts at the end, the last one first.
    let failures: [Failure]

    /// `attempts` are those of one launch in order.
    init(of attempts: [AttemptRecord]) {
        // An attempt that never trained repeats the outcome of another one.
        let tries = attempts.filter { $0.began(.training) != nil }.reversed()
        failures = tries.prefix(while: \.failedToLoad).compactMap { attempt in
            attempt.resumedFrom.map { Failure(checkpoint: $0, wasProven: attempt.resumedProven ?? true) }
        }
    }

    /// Reads the records of `claim`'s launch. A record that cannot be read counts for nothing.
    init(before claim: Claim, in run: RunFolder) throws {
        self.init(
            of: try run.claims().filter { $0.launch == claim.launch && $0.number < claim.number }
                .compactMap { try? run.readRecord($0.number) })
    }

    /// Returns the failure of the checkpoint at `reference`, unless it was saved again since; nil if there is none.
    func failure(of reference: CheckpointReference) -> Failure? {
        failures.first { $0.checkpoint.path == reference.path && $0.checkpoint.modified == reference.modified }
    }
}
