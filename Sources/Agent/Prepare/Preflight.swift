internal import Glibc
internal import Shared

/// Checks that the volume and the pod's own disk can carry a training. On a healthy volume this takes far less than 1
/// ms.
struct Preflight: Sendable {
    let volume: String
    /// The run's work tree.
    let work: String

    /// Bytes. A disk with less room is reported.
    private static let lowSpace = 16 << 20

    /// Makes the folder of the work tree, and throws if the agent cannot write there. Calls `warn` with the path and
    /// the free bytes if the volume or `/` is nearly full.
    func check(warn: @escaping @Sendable (_ path: String, _ free: Int) -> Void) async throws {
        try await DedicatedThread.run { [self] in
            try File.makeFolders(work)
            guard access(work, W_OK | X_OK) == 0 else { throw Problem("write to \"\(work)\"", errno: errno) }
            for path in [volume, "/"] where access(path, W_OK) == 0 {
                if let disk = DiskUsage.at(path), disk.free < Self.lowSpace { warn(path, disk.free) }
            }
        }
    }
}
