internal import Shared

/// What `torch.distributed.checkpoint` writes: each rank its files `__RANK_N.distcp`, and at the very end `.metadata`,
/// a pickle that names them.
///
/// A rank without anything to write has no file, so that a gap in the numbers says nothing and only `.metadata` does.
enum DistributedFormat {
    static let metadata = ".metadata"
    /// A bound on memory; far above the ranks of any training.
    private static let mostParts = 1 << 16

    static func isPart(_ name: String) -> Bool {
        guard name.hasPrefix("__"), name.hasSuffix(".distcp") else { return false }
        let numbers = name.dropFirst(2).dropLast(7).split(separator: "_", omittingEmptySubsequences: false)
        return numbers.count == 2 && numbers.allSatisfy { Int($0) != nil }
    }

    /// A part is a row of zip archives, one for each tensor, and ends with the last one's end record.
    static func checkPart(_ file: InputFile) throws {
        guard try file.head(4) == ZipFormat.mark else { throw Unchecked() }
        if try !ZipFormat.isEnd(file.tail(22)) { throw Damage("is cut off: its last tensor has no end") }
    }

    /// The parts that `.metadata` names are all there. `folder` is where it is.
    static func checkMetadata(_ file: InputFile, in folder: String) throws {
        var parts: Set<String> = []
        var pickle = PickleReader(file)
        let isWalked = try pickle.walk { text in
            let text = text.text
            if parts.count < mostParts && isPart(text) { parts.insert(text) }
        }
        if !isWalked { return try PickleFormat.check(file) }
        let missing = parts.filter { !File.exists("\(folder)/\($0)") }.sorted()
        if !missing.isEmpty { throw Damage("names \(missing.listed), which \(missing.areMissing)") }
    }
}
