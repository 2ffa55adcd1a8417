internal import FoundationEssentials
internal import Glibc
internal import Shared

/// Finds out from outside whether the training is saving a checkpoint at this moment.
struct SaveWatch: Sendable {
    /// A save counts as running for this time after a change, because between two of its files none is open.
    static let pause: Duration = .milliseconds(300)
    /// The same for a checkpoint that may not be complete: a trainer may gather the state of other ranks meanwhile.
    /// After as long a quiet its save counts as ended for a proof too.
    static let longPause: Duration = .seconds(2)

    let folder: CheckpointFolder
    /// Returns whether a checkpoint is known to be complete. May read the volume.
    var isComplete: @Sendable (CheckpointFolder.Candidate) -> Bool = { _ in true }

    /// Whether a process of the training has a file of a checkpoint open for writing, or one changed a moment ago. A
    /// log beside the checkpoints does not count, because it is always open.
    ///
    /// Reads the folder, and may hang with its volume.
    func isSaving() -> Bool {
        hasOpenFile() || changedLately()
    }

    func hasOpenFile() -> Bool {
        openFiles().contains { $0.split(separator: "/").first.map { folder.isSave(String($0)) } ?? false }
    }

    /// Returns the paths in the folder of files that the training has open for writing.
    func openFiles() -> Set<String> {
        // /proc shows paths without links.
        let root = folder.realPath + "/"
        var paths: Set<String> = []
        for process in ProcessTree.running {
            for descriptor in (try? File.list("/proc/\(process.pid)/fd")) ?? [] {
                guard let target = try? File.readLink("/proc/\(process.pid)/fd/\(descriptor)"),
                    target.hasPrefix(root),
                    let info = try? File.read("/proc/\(process.pid)/fdinfo/\(descriptor)").text,
                    Self.isForWriting(info)
                else { continue }
                paths.insert(String(target.dropFirst(root.count)))
            }
        }
        return paths
    }

    /// `flags:` of fdinfo is octal; its two lowest bits are the access mode, proc(5).
    static func isForWriting(_ info: String) -> Bool {
        let flags = info.split(separator: "\n").first { $0.hasPrefix("flags:") }
        guard let value = flags.flatMap({ Int($0.dropFirst(6).trimmed, radix: 8) }) else { return false }
        return value & Int(O_ACCMODE) != Int(O_RDONLY)
    }

    private func changedLately() -> Bool {
        guard let newest = folder.newestChange else { return false }
        let now = Int(Date().timeIntervalSince1970 * 1e9)
        let age = Duration.nanoseconds(abs(now - newest))
        if age < Self.pause { return true }
        guard age < Self.longPause else { return false }
        let changed = (try? folder.candidates())?.first { $0.modified == newest }
        return changed.map { !isComplete($0) } ?? false
    }
}
