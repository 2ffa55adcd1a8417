internal import Glibc
internal import Shared

/// A folder on the pod's own disk for what must not reach the volume.
enum Scratch {
    /// Makes a folder that only this user can read. Returns nil if the pod's disk takes none.
    static func make(for run: RunID, variables: [String: String]) -> String? {
        let parent = variables["TMPDIR"].flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        let folder = "\(parent)/pod-agent-\(run)-\([UInt8].random(count: 6).hexadecimal)"
        return mkdir(folder, 0o700) == 0 ? folder : nil
    }
}
