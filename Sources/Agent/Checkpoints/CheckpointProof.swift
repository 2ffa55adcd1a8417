internal import Shared

/// One result of checking a checkpoint.
struct Finding: Sendable, Equatable, CustomStringConvertible {
    enum Weight: Sendable {
        /// The file contradicts its format, or a file is missing: the checkpoint is not whole.
        case damage
        /// The system reported an error on reading, so that nothing is known.
        case unreadable
        /// Worth a note, but probably intended.
        case remark
    }

    var weight: Weight
    /// The file's path inside the checkpoint; empty for the checkpoint itself.
    var file: String
    /// Continues a sentence that begins with the file's name.
    var sentence: String

    init(_ weight: Weight, _ file: String, _ sentence: String) {
        (self.weight, self.file, self.sentence) = (weight, file, sentence)
    }

    var description: String { file.isEmpty ? sentence : "\(file): \(sentence)" }
}

/// Whether a saved checkpoint is whole, judged from its file formats.
///
/// Formats show data that was cut off, lost or never written. They do not show a flipped byte (`FileSums` do), nor that
/// a whole file is missing which no other file names (a comparison with an earlier checkpoint does).
struct CheckpointProof: Sendable, Equatable {
    /// The number of files.
    var files = 0
    /// The number of files whose format was checked.
    var checked = 0
    /// The files whose formats would not show a lost end, by their paths inside.
    var openEnded: [String] = []
    /// All findings, in the order of the files.
    var findings: [Finding] = []

    /// All files could be read, and no damage was found.
    var isWhole: Bool { !findings.contains { $0.weight != .remark } }

    /// The first finding of that weight.
    func first(_ weight: Finding.Weight) -> Finding? { findings.first { $0.weight == weight } }

    /// Checks the checkpoint at `path`, a folder or a single file with the `companions` beside it. Blocks, and may hang
    /// with its volume.
    ///
    /// Takes little memory whatever the files contain. Reads JSON files whole, and only small parts of others. Throws a
    /// `Problem` if nothing is at `path` or a folder cannot be listed.
    static func examine(_ path: String, with companions: [String] = []) throws(Problem) -> CheckpointProof {
        let content = try CheckpointContent(of: path, with: companions)
        var proof = CheckpointProof(findings: content.findings)
        for ending in TrainerTable.marksBeside {
            let mark = path.withoutSlashes + ending
            guard try File.exists(mark) else { continue }
            proof.findings.append(Finding(.damage, "", "has \(mark.lastComponent) beside it: its save has not ended"))
        }
        if TemporaryName.isTemporary(path.withoutSlashes.lastComponent) {
            proof.findings.append(Finding(.damage, "", "has the name of a checkpoint that is still being written"))
        }
        for folder in content.folders {
            for name in folder.files { proof.examine(name, of: folder, in: content) }
            if content.isFolder { proof.findings += CheckpointSet.findings(of: folder, in: content.path) }
        }
        if proof.files == 0 { proof.findings.append(Finding(.damage, "", "contains no file")) }
        return proof
    }

    private mutating func examine(_ name: String, of folder: CheckpointContent.Folder, in content: CheckpointContent) {
        let inner = folder.name.isEmpty ? name : "\(folder.name)/\(name)"
        let path = content.path(of: inner)
        files += 1
        do {
            let file = try InputFile(path)
            guard let format = try FileFormat(name: path, file: file) else {
                if file.size == 0 { findings.append(Finding(.remark, inner, "is empty")) }
                openEnded.append(inner)
                return
            }
            try format.check(file, in: path.parentFolder)
            checked += 1
            if !format.showsLostEnd { openEnded.append(inner) }
        } catch let damage as Damage {
            checked += 1
            findings.append(Finding(.damage, inner, damage.sentence))
        } catch is Unchecked {
            openEnded.append(inner)
        } catch is InputFile.NotRegularFile {
            findings.append(Finding(.remark, inner, "is neither a file nor a folder"))
        } catch {
            if File.status(path)?.isLink == true && (try? File.exists(path)) != true {
                findings.append(Finding(.damage, inner, "is a link that leads nowhere"))
            } else {
                findings.append(Finding(.unreadable, inner, "could not be read: \(error)"))
            }
        }
    }
}
