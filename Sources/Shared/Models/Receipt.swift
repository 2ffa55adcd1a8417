#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The proof of a checkpoint, `receipts/NAME.json`: the checkpoint was complete and on stable storage at that time.
///
/// A file that was added, deleted or changed later voids the proof.
public struct Receipt: Sendable, Codable, Equatable {
    /// The checkpoint's name in its folder.
    public var name: String
    /// The number in its name; nil if the name is a fixed one.
    public var step: Int?
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
        boot: String, files: [SavedFile], save: SeenSave? = nil
    ) {
        name = checkpoint.path.lastComponent
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
        CheckpointReference(step: step, path: path, modified: modified)
    }

    /// The time of the last write to its files, in nanoseconds since 1970.
    public var modified: Int { files.map(\.modified).max() ?? 0 }

    /// The size of all files together, in bytes.
    public var size: Int { files.reduce(0) { $0 + $1.size } }

    /// Compares names, sizes and times with `found`, the files that exist now by their path inside the checkpoint.
    ///
    /// Returns the first difference as the rest of a sentence about the checkpoint; nil if there is none. Links to
    /// files are followed.
    public func difference(from found: [String: FileStatus]) -> String? {
        for file in files {
            let name = file.name.isEmpty ? self.name : file.name
            guard let status = found[file.name] else { return "\(name) is missing" }
            if status.size != file.size {
                let word = status.size < file.size ? "shorter" : "longer"
                return "\(name) is \(word) than it was: \(status.size) bytes, not \(file.size)"
            }
            if status.modified != file.modified { return "\(name) was changed" }
        }
        let known = Set(files.map(\.name))
        return found.keys.sorted().first { !known.contains($0) }.map { "\($0) was added" }
    }
}

/// `GET /v1/checkpoints`
public struct CheckpointsReport: Sendable, Codable, Equatable {
    /// Sorted by step.
    public var receipts: [Receipt]

    public init(receipts: [Receipt]) { self.receipts = receipts }
}
