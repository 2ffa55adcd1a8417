internal import Shared

/// Watches a running training from outside: reads its step from its output, and finds out when it stalls.
struct TrainingWatch: Sendable {
    let progress: ProgressFollower
    let stall: Limits.Stall
    let saves: SaveWatch?
    /// Called with each step that is read.
    let note: @Sendable (Double) -> Void

    /// Called from time to time with all that is known, and with the steps per second.
    var report: @Sendable (Progress, _ pace: Double?) -> Void = { _, _ in }
    /// Called once with the last line if the training prints lines and no step.
    var missStep: @Sendable (String) -> Void = { _ in }

    private static let interval: Duration = .seconds(1)
    /// Scans between two calls of `report`. Each costs a write of the record.
    private static let scansPerReport = 15
    /// Scans without a step after which `missStep` is called: soon if a limit depends on steps.
    private var scansWithoutStep: Int { stall == .none ? 600 : 60 }

    /// Runs until the training stalls, and returns for how many seconds it had no new step. Returns nil if the task is
    /// cancelled.
    func run() async -> Double? {
        let start = ContinuousClock.now
        var pace = Pace()
        var moves = 0
        for count in 1... {
            do { try await Task.sleep(for: Self.interval) } catch { return nil }
            let now = start.duration(to: .now).inSeconds
            let found = progress.update()
            pace.observe(step: found.progress.step, at: now)
            if let step = pace.step { note(step) }
            if count % Self.scansPerReport == 5, found.progress != Progress() { report(found.progress, pace.rate) }
            if count == scansWithoutStep, pace.step == nil, case let line = progress.lastLine, !line.isEmpty {
                missStep(line)
            }
            if found.moves != moves {
                moves = found.moves
                pace.excuse(at: now)
            }
            guard pace.stalled(stall, at: now) != nil else { continue }
            if await isSaving() { pace.excuse(at: now) }
            if let still = pace.stalled(stall, at: now) { return still }
        }
        return nil
    }

    /// Whether the training saves at this moment. Also true if the volume hangs: a training that waits for it has not
    /// stalled.
    private func isSaving() async -> Bool {
        guard let saves else { return false }
        do { return try await DedicatedThread.run(within: .seconds(5), saves.isSaving) ?? true } catch { return false }
    }
}
