internal import FoundationEssentials
internal import Glibc
internal import Shared

/// Gathers the circumstances of a training's end.
struct DeathReport: Sendable {
    let attempt: OpenAttempt
    let tail: OutputTail
    let training: TrainingFacts?
    /// The first request for the end; nil if the training ended by itself.
    let request: TrainingStop.Request?

    /// `gone` is when the last process was gone. Waits at most 5 s for the volume and the disks.
    func make(outcome: Outcome?, gone: ContinuousClock.Instant?) async -> Death {
        var death = Death()
        death.lines = tail.lines(30)
        death.outOfMemoryKills = training?.outOfMemoryKills
        let found = try? await DedicatedThread.run(within: .seconds(5)) { [attempt] in
            (
                disks: [attempt.spec.volume, "/"].compactMap { DiskUsage.at($0) },
                newestSave: attempt.saves?.folder.newestSave
            )
        }
        death.disks = found?.disks ?? []
        guard let request else { return death }
        death.secondsAfterSignal = (training?.ended ?? gone).map { max(0, request.time.duration(to: $0).inSeconds) }
        if attempt.saves != nil, let found {
            let isLater = (found.newestSave ?? 0) > Int(request.date.timeIntervalSince1970 * 1e9)
            // A process that SIGKILL ended may have been in the middle of its save.
            death.savedOnSignal = isLater && outcome?.exit?.shellCode != 128 + SIGKILL
        }
        return death
    }
}

extension AttemptRecord {
    /// Returns the steps after the newest checkpoint; nil if the training reported none, or the checkpoint's step is
    /// unknown. `reported` is the step that the training had reported when it saved that checkpoint, if it is known:
    /// the number of its name may count something else.
    func stepsLost(after found: CheckpointCount, reported: Double? = nil) -> Double? {
        guard let step, let saved = found.newest.map({ $0.step.map(Double.init) ?? reported }) ?? 0 else { return nil }
        let lost = step - saved
        return lost >= 0 ? lost : nil
    }
}
