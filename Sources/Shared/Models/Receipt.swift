#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

/// The proof of a checkpoint, `receipts/NAME.json`: that it was whole and on stable storage when it was written.
///
/// Any file that was added, is missing or has changed since voids it.
public struct Receipt: Sendable, Codable, Equatable {
    /// Of the checkpoint in its folder.
    public var name: String
    /// The number in its name; nil where the name is a fixed one.
    public var step: Int?
    /// The last step that the training had told of when its save was first seen; nil where that is not known.
    public var stepAtSave: Double?
    /// How long its save took, in seconds, to about one; nil where it was not watched.
    public var saveSeconds: Double?
    /// The attempt that wrote the receipt.
    public var attempt: Int
    public var lineage: String
    /// Absolute, in the pod.
    public var path: String
    /// What told that the save had ended.
    public var evidence: Evidence
    public var proven: Date
    /// Names the boot of the machine that proved it: as long as that lasts, what was read once is what is there.
    public var boot: String
    /// Sorted by their names.
    public var files: [SavedFile]

    public enum Evidence: String, Sendable, Codable {
        /// The training went on to a later step.
        case laterStep
        /// The training ended with exit code 0.
        case exit
        /// It has the files that an earlier checkpoint with a receipt has.
        case sameFiles
        /// Its name is a fixed one, and it is one file that ends where its format says.
        case ownEnd
    }

    public struct SavedFile: Sendable, Codable, Equatable {
        /// By its path inside the checkpoint; of a checkpoint that is one file, empty.
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

    /// What was seen of the save while it went on.
    public struct SeenSave: Sendable, Equatable {
        /// The last step that the training had told of at its beginning.
        public var stepAtSave: Double?
        /// From its first file's appearing to its last write.
        public var seconds: Double?

        public init(stepAtSave: Double?, seconds: Double?) {
            self.stepAtSave = stepAtSave
            self.seconds = seconds
        }
    }

    public var reference: CheckpointReference {
        CheckpointReference(step: step, path: path, modified: modified)
    }

    /// When its last file was written, in nanoseconds since 1970.
    public var modified: Int { files.map(\.modified).max() ?? 0 }

    /// Bytes of all files together.
    public var size: Int { files.reduce(0) { $0 + $1.size } }

    /// What is no longer as it was, told from names, sizes and times alone: the rest of a sentence about the checkpoint. nil where
    /// nothing is. `found` is what is there now, by the path inside, links to files followed.
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
    /// In the order of their steps.
    public var receipts: [Receipt]

    public init(receipts: [Receipt]) { self.receipts = receipts }
}
