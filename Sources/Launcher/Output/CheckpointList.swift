internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// The checkpoints of a run as its volume has them. The JSON form is stable: fields are added, never renamed.
struct CheckpointList {
    struct Checkpoint: Encodable {
        var step: Int
        var path: String
        /// Bytes.
        var size: Int
        /// When its last file was written.
        var saved: Date?
        /// It has a receipt, and the names, sizes and times that the receipt says.
        var isProven: Bool
        /// Why a receipt does not hold any more.
        var difference: String?
        var receipt: Receipt?
    }

    /// In the order of their steps.
    let checkpoints: [Checkpoint]

    init(of run: RunFolder) throws {
        guard let spec = try run.spec(), let folder = CheckpointFolder(of: spec, in: run) else {
            checkpoints = []
            return
        }
        let receipts = Dictionary(try run.allReceipts().map { ($0.name, $0) }) { first, _ in first }
        checkpoints = try folder.candidates().sorted { ($0.step, $0.name) < ($1.step, $1.name) }.map { candidate in
            let path = folder.path(of: candidate)
            let files = candidate.files.compactMap { name, status in
                status.isLink
                    ? File.statusOfTarget(name.isEmpty ? path : "\(path)/\(name)").map { (name, $0) } : (name, status)
            }.filter(\.1.isFile)
            let receipt = receipts[candidate.name]
            let difference = receipt?.difference(from: Dictionary(files) { first, _ in first })
            return Checkpoint(
                step: candidate.step, path: path, size: files.reduce(0) { $0 + $1.1.size },
                saved: files.map(\.1.modified).max().map { Date(timeIntervalSince1970: Double($0) / 1e9) },
                isProven: receipt != nil && difference == nil, difference: difference, receipt: receipt)
        }
    }

    func text(at now: Date) -> String {
        let rows = checkpoints.map { checkpoint in
            [
                "\(checkpoint.step)", AttemptText.size(checkpoint.size),
                checkpoint.saved.map { Summary.clock(max(0, now.timeIntervalSince($0))) } ?? "",
                checkpoint.isProven ? "proven" : checkpoint.difference ?? "not proven",
                checkpoint.receipt?.lineage ?? "", checkpoint.path,
            ]
        }
        return Table(["STEP", "SIZE", "AGE", "STATE", "LINEAGE", "PATH"], rows).text
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
