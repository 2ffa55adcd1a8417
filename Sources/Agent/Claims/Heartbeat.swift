internal import FoundationEssentials
internal import Shared

/// Says every 5 s that the owner of an attempt lives, and looks for a newer claim.
struct Heartbeat: Sendable {
    static let interval: Duration = .seconds(5)

    /// Bytes of a beat, padded.
    private static let size = 80

    let run: RunFolder
    let attempt: Int
    let volume: VolumeWriter

    /// Beats until the task is cancelled. Returns earlier where a higher claim exists: the run has another owner then.
    func beat() async {
        for count in 1... {
            let isSuperseded = try? await volume.perform { [self] in
                if File.exists(run.claim(attempt + 1)) { return true }
                // Not synced: that it changes is all it says, and after a crash it has to stand still.
                // In place and of one length: a full volume takes it still.
                var beat = try JSON.encode(Beat(count: count, at: Date()))
                beat += [UInt8](repeating: UInt8(ascii: " "), count: max(0, Self.size - beat.count))
                try File.write(beat, over: run.beat(attempt), truncating: false)
                return false
            }
            if isSuperseded == true { return }
            do { try await Task.sleep(for: Self.interval) } catch { return }
        }
    }
}
