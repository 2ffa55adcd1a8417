internal import Shared

/// What was seen of checkpoints from one look to the next.
struct CheckpointSightings: Sendable {
    private struct Sighting {
        var files: [String: FileStatus]
        /// When the checkpoint was seen first, and since when it is as it is.
        var first: ContinuousClock.Instant
        var since: ContinuousClock.Instant
        /// The training's step at the first look that found nothing changed.
        var step: Double??
        /// It is not ready before.
        var notBefore: ContinuousClock.Instant?
    }

    /// What was there before the training began, by name: none of it was saved by this one.
    private let found: [String: [String: FileStatus]]
    private var seen: [String: Sighting] = [:]
    var proven: [String: Receipt]
    var looks = 0

    init(found: [CheckpointFolder.Candidate] = [], proven: [String: Receipt] = [:]) {
        self.found = Dictionary(found.map { ($0.name, $0.files) }) { first, _ in first }
        self.proven = proven
    }

    /// The names of those of which nothing new is expected.
    var known: Set<String> { Set(found.keys).subtracting(seen.keys).union(proven.keys) }

    /// Notes what is there now, and returns what this training saved, has no receipt, and has been quiet for long enough.
    mutating func note(
        _ candidates: [CheckpointFolder.Candidate], step: Double?, at now: ContinuousClock.Instant
    ) -> [CheckpointFolder.Candidate] {
        let own = candidates.filter { proven[$0.name] == nil && found[$0.name] != $0.files && !$0.files.isEmpty }
        for candidate in own {
            guard let sighting = seen[candidate.name], sighting.files == candidate.files else {
                let first = seen[candidate.name]?.first ?? now
                seen[candidate.name] = Sighting(files: candidate.files, first: first, since: now)
                continue
            }
            if sighting.step == nil { seen[candidate.name]?.step = .some(step) }
        }
        return own.filter { candidate in
            guard let sighting = seen[candidate.name] else { return false }
            return sighting.since.duration(to: now) >= CheckpointWatch.quiet && (sighting.notBefore ?? now) <= now
        }
    }

    mutating func postpone(_ name: String, to time: ContinuousClock.Instant) {
        seen[name]?.notBefore = time
    }

    /// Whether a later step was told of, or a later checkpoint begun, after nothing changed in this one any more.
    func isFollowed(_ checkpoint: CheckpointFolder.Candidate, step: Double?) -> Bool {
        guard let sighting = seen[checkpoint.name], sighting.files == checkpoint.files, let then = sighting.step else {
            return false
        }
        if let step, step > then ?? -.infinity { return true }
        return seen.contains { name, other in
            (CheckpointFolder.step(in: name) ?? 0) > checkpoint.step
                && other.first > sighting.since + CheckpointWatch.interval
        }
    }
}
