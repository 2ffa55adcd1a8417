#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The folder in which a run saves its checkpoints, and the rule for their names.
public struct CheckpointFolder: Sendable {
    public let path: String
    public let pattern: String
    /// Fixed names. A fixed name that also matches the pattern counts as fixed.
    public let names: [String]

    /// nil if the spec has no checkpoints.
    public init?(of spec: RunSpec, in run: RunFolder) {
        guard let rule = spec.checkpoints else { return nil }
        path = run.work.appending(path: spec.workdir).appending(path: rule.path)
        pattern = rule.pattern
        names = rule.names ?? []
    }

    public init(path: String, pattern: String, names: [String] = []) {
        self.path = path
        self.pattern = pattern
        self.names = names
    }

    /// A possible checkpoint: an entry with a fixed name, or with a number in a name that matches the pattern.
    public struct Candidate: Sendable, Equatable {
        public var name: String
        /// The number in the name; nil if the name is a fixed one.
        public var step: Int?
        /// Its files by their path inside. A checkpoint that is one file has the empty path.
        public var files: [String: FileStatus]

        /// The time of the last write to its files, in nanoseconds since 1970.
        public var modified: Int { files.values.map(\.modified).max() ?? 0 }
    }

    /// Returns the present checkpoints; none if the folder does not exist.
    public func candidates() throws(Problem) -> [Candidate] {
        try all().filter { !$0.files.isEmpty }
    }

    /// Returns the present checkpoints except `skipped`, even those without a file.
    public func all(skipping skipped: Set<String> = []) throws(Problem) -> [Candidate] {
        guard try File.exists(path) else { return [] }
        var found: [Candidate] = []
        for name in try File.list(path) where !skipped.contains(name) {
            let step = names.contains(name) || fnmatch(pattern, name, FNM_PERIOD) != 0 ? nil : Self.step(in: name)
            guard step != nil || names.contains(name) else { continue }
            // The training saves to the target of such a link under another name.
            if step == nil && isLinkToFolder(name) { continue }
            found.append(Candidate(name: name, step: step, files: try Self.files(below: "\(path)/\(name)")))
        }
        return found
    }

    /// Sorts the newest first. Numbered checkpoints are sorted by step. Each fixed name comes before the first one that
    /// is not younger.
    public static func newestFirst(_ candidates: [Candidate]) -> [Candidate] {
        var order = candidates.filter { $0.step != nil }
            .sorted { ($0.step ?? 0, $0.name) > ($1.step ?? 0, $1.name) }
        let fixed = candidates.filter { $0.step == nil }.sorted { ($0.modified, $0.name) < ($1.modified, $1.name) }
        for candidate in fixed {
            order.insert(candidate, at: order.firstIndex { $0.modified <= candidate.modified } ?? order.endIndex)
        }
        return order
    }

    public func path(of candidate: Candidate) -> String { "\(path)/\(candidate.name)" }

    public func reference(to candidate: Candidate) -> CheckpointReference {
        CheckpointReference(step: candidate.step, path: path(of: candidate), modified: candidate.modified)
    }

    /// Returns the last number in a name; nil if there is none.
    public static func step(in name: String) -> Int? {
        name.split { !("0"..."9").contains($0) }.last.flatMap { Int($0) }
    }

    /// Whether a checkpoint, or an unfinished one such as `tmp-checkpoint-7`, may have this name.
    public func isSave(_ name: String) -> Bool {
        fnmatch("*\(pattern)*", name, 0) == 0 || names.contains(where: name.contains)
    }

    public func isLinkToFolder(_ name: String) -> Bool {
        File.status("\(path)/\(name)")?.isLink == true && File.statusOfTarget("\(path)/\(name)")?.isFolder == true
    }

    /// The time of the last change to a checkpoint, or to an unfinished one, in nanoseconds since 1970.
    public var newestChange: Int? {
        let path = realPath
        return (try? File.list(path))?.filter(isSave)
            .compactMap { (try? Self.files(below: "\(path)/\($0)"))?.values.map(\.modified).max() }.max()
    }

    /// The time of the last change to a checkpoint's file, in nanoseconds since 1970. Other files do not count.
    public var newestSave: Int? {
        (try? candidates())?.flatMap { $0.files.values.map(\.modified) }.max()
    }

    /// The folder's path without links. An output folder is often a link to another folder on the volume.
    public var realPath: String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func files(below path: String) throws(Problem) -> [String: FileStatus] {
        guard let status = File.status(path) else {
            if errno == ENOENT { return [:] }  // deleted meanwhile
            throw Problem("read \"\(path)\"", errno: errno)
        }
        guard status.isFolder else { return ["": status] }
        var found: [String: FileStatus] = [:]
        for name in try File.list(path) {
            for (inner, status) in try files(below: "\(path)/\(name)") {
                found[inner.isEmpty ? name : "\(name)/\(inner)"] = status
            }
        }
        return found
    }
}
