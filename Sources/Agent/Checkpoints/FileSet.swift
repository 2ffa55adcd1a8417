internal import Shared

/// The files of a checkpoint without the numbers in their names, in which checkpoints of one training differ.
struct FileSet: Sendable {
    /// How many files have that name.
    private var counts: [String: Int] = [:]
    /// By the name, in ascending order.
    private var sizes: [String: [Int]] = [:]

    /// `sizes` in bytes by the path inside.
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

    /// Whether both have the same files; those of `openEnded` of the same sizes too.
    func equals(_ other: FileSet, openEnded: [String]) -> Bool {
        counts == other.counts
            && Set(openEnded.map(Self.withoutNumbers)).allSatisfy { sizes[$0] == other.sizes[$0] }
    }

    /// Whether this one has all that `other` has, and more.
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
