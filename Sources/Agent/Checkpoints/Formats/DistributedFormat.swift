internal import Shared

/// The files of `torch.distributed.checkpoint`. Each rank writes `__RANK_N.distcp`; the last file written is
/// `.metadata`, a pickle that names them all.
///
/// A rank with nothing to write has no file. So a gap in the numbers shows nothing, and only `.metadata` shows what is
/// missing.
enum DistributedFormat {
    static let metadata = ".metadata"
    /// A bound on memory. No training has as many ranks.
    private static let maxParts = 1 << 16

    static func isPart(_ name: String) -> Bool {
        guard name.hasPrefix("__"), name.hasSuffix(".distcp") else { return false }
        let numbers = name.dropFirst(2).dropLast(7).split(separator: "_", omittingEmptySubsequences: false)
        return numbers.count == 2 && numbers.allSatisfy { Int($0) != nil }
    }

    /// Checks a part: one zip archive for each tensor, one after the other, so that the file ends with an end record.
    static func checkPart(_ file: InputFile) throws {
        guard try file.head(4) == ZipFormat.mark else { throw Unchecked() }
        if try !ZipFormat.isEnd(file.tail(22)) { throw Damage("is cut off: its last tensor has no end") }
    }

    /// Checks that each part that `.metadata` names exists. `folder` contains them.
    static func checkMetadata(_ file: InputFile, in folder: String) throws {
        var parts: Set<String> = []
        var pickle = PickleReader(file)
        let isPickle = try pickle.walk { text in
            let text = text.text
            if parts.count < maxParts && isPart(text) { parts.insert(text) }
        }
        if !isPickle { return try PickleFormat.check(file) }
        let missing = try parts.filter { try !File.exists("\(folder)/\($0)") }.sorted()
        if !missing.isEmpty { throw Damage("names \(missing.listed), which \(missing.areMissing)") }
    }
}
