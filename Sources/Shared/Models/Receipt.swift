#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The proof of a checkpoint, `receipts/NAME.json`: the checkpoint was complete and on stable storage at that time.
///
/// A file of it that is missing or has other bytes voids it. A file that was added or other times do not.
public struct Receipt: Sendable, Codable, Equatable {
    /// The checkpoint's name in its folder.
    public var name: String
    /// The step that its name says; nil if it says none for sure.
    public var step: Int?
    /// nil in receipts of older agents, which gave every numbered checkpoint a step.
    private var isFixed: Bool?
    /// The attempt that saved the checkpoint; nil if it is `attempt`.
    public var savedBy: Int?
    /// The time at which its save ended, in nanoseconds since 1970; nil: that of its newest file. A copied volume has
    /// other times.
    public var saved: Int?
    /// The last step that the training had reported when the agent first saw this save; nil if that is unknown.
    public var stepAtSave: Double?
    /// The duration of the save in seconds, exact to about 1 s; nil if the agent did not watch it.
    public var saveSeconds: Double?
    /// The attempt that wrote the receipt.
    public var attempt: Int
    public var lineage: String
    /// An absolute path in the pod.
    public var path: String
    /// The reason to trust that the save had ended.
    public var evidence: Evidence
    public var proven: Date
    /// The boot id of the machine that proved it. During the same boot the files need not be read again.
    public var boot: String
    /// Sorted by their names.
    public var files: [SavedFile]

    public enum Evidence: String, Sendable, Codable {
        /// The training reported a later step.
        case laterStep
        /// The training ended with exit code 0.
        case exit
        /// The checkpoint has the same files as an earlier one with a receipt.
        case sameFiles
        /// The checkpoint is one file with a fixed name, and it ends where its format says.
        case ownEnd
        /// It has the file that its trainer writes after all others.
        case lastFile
        /// A file or link beside it, written later, names it as the newest.
        case pointer
        /// The training caught SIGTERM and exited by itself.
        case ownExit
        /// The training wrote it under a temporary name and then renamed it.
        case renamed
    }

    public struct SavedFile: Sendable, Codable, Equatable {
        /// The path inside the checkpoint; empty if the checkpoint is one file.
        public var name: String
        /// Bytes.
        public var size: Int
        /// Nanoseconds since 1970.
        public var modified: Int
        /// Hexadecimal.
        public var sha256: String

        public init(name: String, size: Int, modified: Int, sha256: String) {
            self.name = name
            self.size = size
            self.modified = modified
            self.sha256 = sha256
        }
    }

    public init(
        of checkpoint: CheckpointReference, attempt: Int, lineage: String, evidence: Evidence, proven: Date,
        boot: String, files: [SavedFile], save: SeenSave? = nil, name: String? = nil, isFixed: Bool = false
    ) {
        self.name = name ?? checkpoint.path.lastComponent
        self.isFixed = isFixed
        savedBy = checkpoint.attempt == attempt ? nil : checkpoint.attempt
        step = checkpoint.step
        path = checkpoint.path
        self.attempt = attempt
        self.lineage = lineage
        self.evidence = evidence
        self.proven = proven
        self.boot = boot
        self.files = files
        stepAtSave = save?.stepAtSave
        saveSeconds = save?.seconds
    }

    /// Observations of a save while it was written.
    public struct SeenSave: Sendable, Equatable {
        /// The last step that the training had reported when the save began.
        public var stepAtSave: Double?
        /// From the creation of the first file to the last write, in seconds.
        public var seconds: Double?

        public init(stepAtSave: Double?, seconds: Double?) {
            self.stepAtSave = stepAtSave
            self.seconds = seconds
        }
    }

    public var reference: CheckpointReference {
        CheckpointReference(step: step, path: path, modified: saved ?? modified, attempt: saver)
    }

    /// The attempt that saved the checkpoint; 0 if it existed before the run.
    public var saver: Int { savedBy ?? attempt }

    /// The time of the last write to its files, in nanoseconds since 1970.
    public var modified: Int { files.map(\.modified).max() ?? 0 }

    /// The size of all files together, in bytes.
    public var size: Int { files.reduce(0) { $0 + $1.size } }

    /// Whether the checkpoint is saved again and again under its name.
    public var hasFixedName: Bool { isFixed ?? (step == nil) }

    /// Returns why the checkpoint no longer matches, by names and sizes alone; nil if nothing differs. It continues a
    /// sentence about the checkpoint. `found` has each file by its path inside, links to files followed.
    public func difference(from found: [String: FileStatus]) -> String? {
        for file in files {
            let name = words(file)
            guard let status = found[file.name] else { return "\(name) is missing" }
            if status.size != file.size {
                let word = status.size < file.size ? "shorter" : "longer"
                return "\(name) is \(word) than it was: \(status.size) bytes, not \(file.size)"
            }
        }
        return nil
    }

    /// Returns a sentence about the first file that has another time than the receipt says; nil if none has.
    public func changedTime(in found: [String: FileStatus]) -> String? {
        files.first { found[$0.name]?.modified != $0.modified }.map { "\(words($0)) was changed" }
    }

    /// Whether every file has another time than the receipt says, as after a new save.
    public func allTimesChanged(in found: [String: FileStatus]) -> Bool {
        files.allSatisfy { found[$0.name]?.modified != $0.modified }
    }

    /// Returns the first file that the receipt does not name; nil if there is none.
    public func addedFile(in found: [String: FileStatus]) -> String? {
        let known = Set(files.map(\.name))
        return found.keys.sorted().first { !known.contains($0) }
    }

    private func words(_ file: SavedFile) -> String {
        if file.name.isEmpty { return name.lastComponent }
        return file.name.hasPrefix("../") ? String(file.name.dropFirst(3)) : file.name
    }
}

/// `GET /v1/checkpoints`
public struct CheckpointsReport: Sendable, Codable, Equatable {
    /// Sorted by step.
    public var receipts: [Receipt]

    public init(receipts: [Receipt]) { self.receipts = receipts }
}
