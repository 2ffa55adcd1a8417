#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// A pattern of `checkpoints`, relative to the folder before the first wildcard: as in fnmatch(3) for each part between
/// slashes, with `{step}` for the step.
struct CheckpointPattern: Sendable, Equatable {
    private static let hole = "{step}"

    /// The patterns of the folders above the checkpoint, one for each level.
    let folders: [String]
    /// The pattern of the checkpoint's own name.
    let last: String

    init(_ text: String, below folders: [String]) {
        let parts = text.split(separator: "/").map(String.init)
        self.folders = folders.filter { !$0.isEmpty } + parts.dropLast()
        last = parts.last ?? text
    }

    /// The whole pattern.
    var text: String { (folders + [last]).joined(separator: "/") }

    var hasStep: Bool { text.contains(Self.hole) }
    var hasWildcard: Bool { Self.hasWildcard(text) }

    static func hasWildcard(_ text: String) -> Bool { text.contains { "*?[".contains($0) } || text.contains(hole) }

    /// Whether `name`, without slashes, matches one part of a pattern.
    static func matches(_ name: String, _ part: String) -> Bool {
        name == part || fnmatch(part.replacing(hole, with: "*"), name, FNM_PERIOD) == 0
    }

    /// Whether a path relative to the folder matches.
    func matches(_ path: String) -> Bool {
        let parts = path.split(separator: "/").map(String.init)
        guard parts.count == folders.count + 1 else { return false }
        return zip(parts, folders + [last]).allSatisfy { Self.matches($0, $1) } && (!hasStep || step(in: path) != nil)
    }

    /// Returns the number in the place of `{step}`; nil without one.
    func step(in path: String) -> Int? {
        guard hasStep else { return CheckpointFolder.step(in: CheckpointName.stem(of: path.lastComponent)) }
        return CheckpointName.digits(in: path).last { digits in
            fnmatch(text.replacing(Self.hole, with: digits), path, FNM_PERIOD | FNM_PATHNAME) == 0
        }.flatMap { Int($0) }
    }

    /// Whether the entry `name` directly in the folder may be, hold or become a match.
    func mayConcern(_ name: String) -> Bool {
        let first = (folders.first ?? last).replacing(Self.hole, with: "*")
        return name.contains(first) || fnmatch("*\(first)*", name, 0) == 0
    }
}
