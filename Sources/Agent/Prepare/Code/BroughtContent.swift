/// The content that packs brought to each path. Includes the folders that their files are in.
struct BroughtContent {
    /// The content of the last pack whose sync was complete.
    private(set) var last: [CodePath: CodeContent] = [:]
    /// Content that unfinished syncs may have written. It is a pack's and not the training's, so a sync may replace it.
    private(set) var interrupted: [CodePath: [CodeContent]] = [:]

    init(_ manifest: CodeManifest?) {
        last = Self.withFolders(manifest?.files ?? [])
        for entry in manifest?.arriving ?? [] {
            for folder in entry.path.folders { add(.folder, at: folder) }
            add(entry.content, at: entry.path)
        }
    }

    private mutating func add(_ content: CodeContent, at path: CodePath) {
        if interrupted[path]?.contains(content) != true { interrupted[path, default: []].append(content) }
    }

    /// Returns the content of each path, also of the folders that entries are in.
    static func withFolders(_ entries: [CodeManifest.Entry]) -> [CodePath: CodeContent] {
        var contents: [CodePath: CodeContent] = [:]
        for entry in entries {
            for folder in entry.path.folders { contents[folder] = .folder }
            contents[entry.path] = entry.content
        }
        return contents
    }

    var paths: Set<CodePath> { Set(last.keys).union(interrupted.keys) }

    func contents(of path: CodePath) -> [CodeContent] { (last[path].map { [$0] } ?? []) + (interrupted[path] ?? []) }

    func isFolder(_ path: CodePath) -> Bool { contents(of: path).contains(.folder) }

    func action(for path: CodePath, here: CodeContent?, new: CodeContent?) -> FileOwnership.Action {
        FileOwnership.decide(last: last[path], interrupted: interrupted[path] ?? [], here: here, new: new)
    }
}
