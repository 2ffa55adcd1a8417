internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The checkpoints of a run as its volume has them. The JSON form is stable: fields are added, never renamed.
struct CheckpointList {
    struct Checkpoint: Encodable {
        /// The number in its name; nil where the name is a fixed one.
        var step: Int?
        var path: String
        /// Bytes.
        var size: Int
        /// When its last file was written, and how many seconds ago that was.
        var saved: Date?
        var age: Double?
        /// How long its save took, in seconds, to about one.
        var saveSeconds: Double?
        var lineage: String?
        /// It has a receipt, and the names, sizes and times that the receipt says.
        var isProven: Bool
        /// Why a receipt does not hold any more.
        var difference: String?
        var receipt: Receipt?
    }

    /// The oldest first: by their steps, and those of fixed names among them by time.
    let checkpoints: [Checkpoint]

    init(of run: RunFolder, at now: Date) throws {
        guard let spec = try run.spec(), let folder = CheckpointFolder(of: spec, in: run) else {
            checkpoints = []
            return
        }
        let receipts = Dictionary(try run.allReceipts().map { ($0.name, $0) }) { first, _ in first }
        checkpoints = CheckpointFolder.newestFirst(try folder.candidates()).reversed().map { candidate in
            let path = folder.path(of: candidate)
            let files = candidate.files.compactMap { name, status in
                status.isLink
                    ? File.statusOfTarget(name.isEmpty ? path : "\(path)/\(name)").map { (name, $0) } : (name, status)
            }.filter(\.1.isFile)
            let receipt = receipts[candidate.name]
            let difference = receipt?.difference(from: Dictionary(files) { first, _ in first })
            let saved = files.map(\.1.modified).max().map { Date(timeIntervalSince1970: Double($0) / 1e9) }
            return Checkpoint(
                step: candidate.step, path: path, size: files.reduce(0) { $0 + $1.1.size }, saved: saved,
                age: saved.map { max(0, now.timeIntervalSince($0)) },
                saveSeconds: difference == nil ? receipt?.saveSeconds : nil, lineage: receipt?.lineage,
                isProven: receipt != nil && difference == nil, difference: difference, receipt: receipt)
        }
    }

    var text: String {
        let rows = checkpoints.map { checkpoint in
            [
                Self.step(of: checkpoint), Format.size(checkpoint.size),
                checkpoint.age.map(Format.clock) ?? "",
                checkpoint.saveSeconds.map(Format.clock) ?? "",
                checkpoint.isProven ? "proven" : checkpoint.difference ?? "not proven",
                checkpoint.lineage ?? "", checkpoint.path,
            ]
        }
        return Table(["STEP", "SIZE", "AGE", "SAVED IN", "STATE", "LINEAGE", "PATH"], rows).text
    }

    /// Of a fixed name the one that the training had told of when it was saved.
    private static func step(of checkpoint: Checkpoint) -> String {
        if let step = checkpoint.step { return "\(step)" }
        return checkpoint.isProven ? checkpoint.receipt?.stepAtSave.map { "~\(Format.number($0))" } ?? "" : ""
    }

    /// As sha256sum(1) writes it, which puts a backslash before a name that it cannot write plainly.
    var sums: String {
        checkpoints.filter(\.isProven).flatMap { checkpoint in
            (checkpoint.receipt?.files ?? []).map { file in
                let name = file.name.isEmpty ? checkpoint.path : "\(checkpoint.path)/\(file.name)"
                let escaped = name.replacing("\\", with: "\\\\").replacing("\n", with: "\\n").replacing(
                    "\r", with: "\\r")
                return "\(escaped == name ? "" : "\\")\(file.sha256)  \(escaped)\n"
            }
        }.joined()
    }
}
