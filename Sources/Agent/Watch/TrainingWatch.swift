internal import Shared

/// Watches a running training from outside: reads its step from what it prints, and tells when it stands still.
struct TrainingWatch: Sendable {
    let tail: OutputTail
    let reader: ProgressReader
    let stall: Limits.Stall
    let saves: SaveWatch?
    /// Takes each step that is read.
    let note: @Sendable (Double) -> Void

    private static let interval: Duration = .seconds(1)

    /// Until the task is cancelled; returns earlier, with for how many seconds, where the training has stalled.
    func run() async -> Double? {
        let start = ContinuousClock.now
        var pace = Pace()
        var seen = 0
        var signs: [Double?] = []
        while true {
            do { try await Task.sleep(for: Self.interval) } catch { return nil }
            let now = start.duration(to: .now).inSeconds
            let (count, bytes) = tail.now
            if count != seen {
                seen = count
                pace.observe(step: reader.lastStep(in: bytes), at: now)
                if let step = pace.step { note(step) }
                if case let new = reader.lastSigns(in: bytes), new != signs {
                    signs = new
                    pace.excuse(at: now)
                }
            }
            guard pace.stalled(stall, at: now) != nil else { continue }
            if await isSaving() { pace.excuse(at: now) }
            if let still = pace.stalled(stall, at: now) { return still }
        }
    }

    /// A volume that hangs does not answer, and a training that waits for it is not to blame.
    private func isSaving() async -> Bool {
        guard let saves else { return false }
        do { return try await DedicatedThread.run(within: .seconds(5), saves.isSaving) ?? true } catch { return false }
    }
}
