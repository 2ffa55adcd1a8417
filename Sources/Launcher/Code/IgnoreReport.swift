internal import Shared

/// The ignore rules that selected the code, and their effect, in words for the user.
struct IgnoreReport: Sendable, Equatable {
    /// `git`, and the names of other files with rules.
    private var sources: Set<String> = []
    /// Ignored paths. A folder that is ignored as a whole is one path with a slash at its end.
    private var ignored: Set<String> = []
    /// Paths that `!` in `.launchignore` brings back.
    private var broughtBack: Set<String> = []
    /// The paths of `code.include`.
    private let included: [String]

    /// The source that stands for all rules of git.
    static let git = "git"
    /// The most paths of a kind that are named.
    private static let maxPaths = 5

    init(included: [String]) { self.included = included }

    mutating func use(_ source: String) { sources.insert(source) }

    mutating func ignore(_ path: String) { ignored.insert(path) }

    mutating func bringBack(_ path: String) { broughtBack.insert(path) }

    /// Such as `git and .launchignore ignore data/, wandb/`.
    var words: String {
        // Git lists a folder of ignored files, and then those files.
        let top = ignored.filter { path in !path.outerFolders.contains(where: ignored.contains) }
        let names = sources.sorted { $0 == Self.git || $1 != Self.git && $0 < $1 }.joined(separator: " and ")
        var words =
            sources.isEmpty
            ? "no ignore rules apply"
            : "\(names) \(sources.count == 1 ? "ignores" : "ignore") \(top.isEmpty ? "nothing" : Self.list(top))"
        if !broughtBack.isEmpty {
            words += "; \"!\" in \(IgnoreRules.launchFile) brings back \(Self.list(broughtBack))"
        }
        if !included.isEmpty { words += "; \"code.include\" brings \(Self.list(included))" }
        return words
    }

    private static func list(_ paths: some Collection<String>) -> String {
        let named = paths.sorted().prefix(maxPaths).joined(separator: ", ")
        return named + (paths.count > maxPaths ? ", and \(paths.count - maxPaths) more" : "")
    }
}

extension String {
    /// The folders above a relative path, each with a slash at its end.
    fileprivate var outerFolders: [String] {
        let path = withoutSlashes
        return path.indices.filter { path[$0] == "/" }.map { String(path[...$0]) }
    }
}
