internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The checkpoints on a run's volume. The JSON form is stable: fields are added, never renamed.
struct CheckpointList {
    struct Checkpoint: Encodable {
        /// The number in its name; nil if the name is fixed.
        var step: Int?
        var path: String
        /// Bytes.
        var size: Int
        /// Time at which its last file was written, and the seconds since then.
        var saved: Date?
        var age: Double?
        /// Seconds that its save took, with an error of about one.
        var saveSeconds: Double?
        var lineage: String?
        /// It has a receipt, and its names, sizes and times are those of the receipt.
        var isProven: Bool
        /// The reason why its receipt does not hold any more.
        var difference: String?
        var receipt: Receipt?
    }

    /// The oldest first: by the attempt that saved them and by time.
    let checkpoints: [Checkpoint]

    init(of run: RunView, at now: Date) async throws {
        let receipts = Dictionary(try run.folder.allReceipts().map { ($0.name, $0) }) { first, _ in first }
        checkpoints = try await run.run.source.checkpoints(of: run.id).map { listed in
            let receipt = receipts[listed.name]
            let difference = receipt.flatMap { $0.difference(from: listed.files) ?? $0.changedTime(in: listed.files) }
            let saved = listed.files.values.map(\.modified).max().map { Date(timeIntervalSince1970: Double($0) / 1e9) }
            return Checkpoint(
                step: listed.step, path: listed.path, size: listed.files.values.reduce(0) { $0 + $1.size },
                saved: saved,
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

    /// The step in the name. For a fixed name the step that the training had reported before the save.
    private static func step(of checkpoint: Checkpoint) -> String {
        if let step = checkpoint.step { return "\(step)" }
        return checkpoint.isProven ? checkpoint.receipt?.stepAtSave.map { "~\(Format.number($0))" } ?? "" : ""
    }

    /// Lines in the form of sha256sum(1) for each file of the proven checkpoints.
    var sums: String {
        checkpoints.filter(\.isProven).flatMap { checkpoint in
            (checkpoint.receipt?.files ?? []).map { file in
                let path = CheckpointFolder.path(of: file.name, in: checkpoint.path)
                return ChecksumLine.text(sha256: file.sha256, path: path) + "\n"
            }
        }.joined()
    }
}
