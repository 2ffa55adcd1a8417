internal import FoundationEssentials
internal import Shared

/// Says every 5 s that the owner of an attempt lives, and looks for a newer claim.
struct Heartbeat: Sendable {
    static let interval: Duration = .seconds(5)

    /// Bytes of a beat, padded.
    private static let size = 160

    let run: RunFolder
    let attempt: Int
    let volume: VolumeWriter
    /// How long the attempt has lasted, in seconds, and the last step that the training told of.
    let pulse: @Sendable () -> (seconds: Double, step: Double?)

    /// Beats until the task is cancelled. Returns earlier where a higher claim exists: the run has another owner then.
    func beat() async {
        for count in 1... {
            let isSuperseded = try? await volume.perform { [self] in
                if try run.isSuperseded(attempt) { return true }
                // Not synced: that it changes is all it says, and after a crash it has to stand still.
                // In place and of one length: a full volume takes it still.
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
