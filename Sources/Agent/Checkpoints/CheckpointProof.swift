internal import Shared

/// Something that a look at a checkpoint found.
struct Finding: Sendable, Equatable, CustomStringConvertible {
    enum Weight: Sendable {
        /// It is not whole: it contradicts its format, or lacks a part.
        case damage
        /// The system would not let it be read, so that nothing is known.
        case unread
        /// Worth a word, and may well be so on purpose.
        case remark
    }

    var weight: Weight
    /// The file by its path inside the checkpoint; empty for the checkpoint itself.
    var file: String
    /// The rest of a sentence that begins with the file's name.
    var sentence: String

    init(_ weight: Weight, _ file: String, _ sentence: String) {
        (self.weight, self.file, self.sentence) = (weight, file, sentence)
    }

    var description: String { file.isEmpty ? sentence : "\(file): \(sentence)" }
}

/// Whether a saved checkpoint is whole, as far as its formats tell: they show what was cut off, lost or never written, not a byte that
/// was flipped inside the data (for that there are `FileSums`). Which files a training saves each time only it knows, or a comparison
/// with an earlier checkpoint.
struct CheckpointProof: Sendable, Equatable {
    /// How many files it has, and how many of them are of a format that was checked.
    var files = 0
    var checked = 0
    /// Those that may have been longer for all that their formats tell, by their paths inside.
    var openEnded: [String] = []
    /// In the order of the files.
    var findings: [Finding] = []

    /// Nothing in it contradicts that it is whole, and all of it could be read.
    var isWhole: Bool { !findings.contains { $0.weight != .remark } }

    /// Looks at the checkpoint at `path`, a folder or a single file. Blocks, and may hang with its volume.
    ///
    /// Takes little memory whatever is in the files, and reads little of large ones but JSON. Throws a `Problem` where nothing is at
    /// `path` or a folder cannot be listed.
    static func examine(_ path: String) throws(Problem) -> CheckpointProof {
        let content = try CheckpointContent(of: path)
        var proof = CheckpointProof(findings: content.findings)
        if TemporaryName.isOne(path.withoutSlashes.lastComponent) {
            proof.findings.append(Finding(.damage, "", "has the name of one that is still being written"))
        }
        for folder in content.folders {
            for name in folder.files { proof.examine(name, of: folder, in: content) }
            if content.isFolder { proof.findings += CheckpointSet.findings(of: folder) }
        }
        if proof.files == 0 { proof.findings.append(Finding(.damage, "", "holds no file")) }
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
            if !format.tellsLength { openEnded.append(inner) }
        } catch let damage as Damage {
            checked += 1
            findings.append(Finding(.damage, inner, damage.sentence))
        } catch is Unchecked {
            openEnded.append(inner)
        } catch is InputFile.NoRegularFile {
            findings.append(Finding(.remark, inner, "is neither a file nor a folder"))
        } catch {
            if File.status(path)?.isLink == true && !File.exists(path) {
                findings.append(Finding(.damage, inner, "is a link that leads nowhere"))
            } else {
                findings.append(Finding(.unread, inner, "could not be read: \(error)"))
            }
        }
    }
}
