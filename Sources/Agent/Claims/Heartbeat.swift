internal import FoundationEssentials
internal import Shared

/// Shows every 5 s that the owner of an attempt lives, and checks whether a newer claim exists.
struct Heartbeat: Sendable {
    static let interval: Duration = .seconds(5)

    /// The length of each beat in bytes; shorter ones are padded.
    private static let size = 160

    let run: RunFolder
    let attempt: Int
    let volume: VolumeWriter
    /// The duration of the attempt in seconds, and the last step that the training reported.
    let pulse: @Sendable () -> (seconds: Double, step: Double?)

    /// Beats until the task is cancelled. Returns earlier if a higher claim exists: the run has another owner then.
    func beat() async {
        for count in 1... {
            let isSuperseded = try? await volume.perform { [self] in
                if try run.isSuperseded(attempt) { return true }
                // The beat is not synced: only its changes matter, and after a crash it must not change.
                // It is overwritten in place with one length, because a full volume still accepts that.
                let (seconds, step) = pulse()
                var beat = try JSON.encode(Beat(count: count, at: Date(), seconds: seconds, step: step))
                beat += [UInt8](repeating: UInt8(ascii: " "), count: max(0, Self.size - beat.count))
                try File.write(beat, over: run.beatPath(attempt), truncating: false)
                return false
            }
            if isSuperseded == true || volume.isFenced() { return }
            do { try await Task.sleep(for: Self.interval) } catch { return }
        }
    }
}
