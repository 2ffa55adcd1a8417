internal import Shared

/// The files of a checkpoint with `#` for each number in their names, because checkpoints of one training differ there.
struct FileSet: Sendable {
    /// The number of files by name.
    private var counts: [String: Int] = [:]
    /// The sizes in bytes by name, in ascending order.
    private var sizes: [String: [Int]] = [:]
    /// Some names hold the number of a rank: a start with more ranks saves more such files.
    private(set) var isByRank = false

    /// `files` has the size in bytes by the path inside the checkpoint.
    init(_ files: [String: Int], step: Int? = nil) {
        for (file, size) in files {
            let name = Self.withoutNumbers(file)
            counts[name, default: 0] += 1
            sizes[name, default: []].append(size)
            if file.contains("-of-") { continue }
            let numbers = file.split { !("0"..."9").contains($0) }.compactMap { Int($0) }
            if numbers.contains(where: { $0 != step }), !file.hasPrefix("../") { isByRank = true }
        }
        for name in sizes.keys { sizes[name]?.sort() }
    }

    init(of receipt: Receipt) {
        self.init(
            Dictionary(receipt.files.map { ($0.name, $0.size) }) { first, _ in first },
            step: CheckpointFolder.step(in: receipt.name))
    }

    init(of candidate: CheckpointFolder.Candidate) {
        self.init(candidate.files.mapValues(\.size), step: CheckpointFolder.step(in: candidate.name))
    }

    /// Whether both have the same files. The `openEnded` ones must have the same sizes too.
    func equals(_ other: FileSet, openEnded: [String]) -> Bool {
        counts == other.counts
            && Set(openEnded.map(Self.withoutNumbers)).allSatisfy { sizes[$0] == other.sizes[$0] }
    }

    /// Whether this set has all files of `other`, and more.
    func exceeds(_ other: FileSet) -> Bool {
        counts != other.counts && other.counts.allSatisfy { counts[$0.key, default: 0] >= $0.value }
    }

    /// Whether this set has a kind of file that `other` lacks. The number of files of a kind does not matter.
    func hasKindsMissing(in other: FileSet) -> Bool { counts.keys.contains { other.counts[$0] == nil } }

    /// Whether each of the `openEnded` files has a size that the other set knows for its kind, or is of a kind that the
    /// other set does not have.
    func hasKnownSizes(_ openEnded: [String], in other: FileSet) -> Bool {
        Set(openEnded.map(Self.withoutNumbers)).allSatisfy { name in
            guard let known = other.sizes[name] else { return true }
            return sizes[name, default: []].allSatisfy(known.contains)
        }
    }

    private static func withoutNumbers(_ name: String) -> String {
        var result = ""
        for sign in name {
            let isDigit = ("0"..."9").contains(sign)
            if !isDigit { result.append(sign) } else if result.last != "#" { result.append("#") }
        }
        return result
    }
}
