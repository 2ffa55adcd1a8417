internal import Shared

/// The files of a checkpoint with `#` for each number in their names, because checkpoints of one training differ there.
struct FileSet: Sendable {
    /// The number of files by name.
    private var counts: [String: Int] = [:]
    /// The sizes in bytes by name, in ascending order.
    private var sizes: [String: [Int]] = [:]

    /// `files` has the size in bytes by the path inside the checkpoint.
    init(_ files: [String: Int]) {
        for (file, size) in files {
            let name = Self.withoutNumbers(file)
            counts[name, default: 0] += 1
            sizes[name, default: []].append(size)
        }
        for name in sizes.keys { sizes[name]?.sort() }
    }

    init(of receipt: Receipt) {
        self.init(Dictionary(receipt.files.map { ($0.name, $0.size) }) { first, _ in first })
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

    private static func withoutNumbers(_ name: String) -> String {
        var result = ""
        for sign in name {
            let isDigit = ("0"..."9").contains(sign)
            if !isDigit { result.append(sign) } else if result.last != "#" { result.append("#") }
        }
        return result
    }
}
