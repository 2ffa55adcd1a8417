#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Where a run saves its checkpoints, and which of the names there are some.
public struct CheckpointFolder: Sendable {
    public let path: String
    public let pattern: String
    /// Fixed names. One that matches the pattern too is a fixed one.
    public let names: [String]

    /// nil where the spec names none.
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

    /// A checkpoint: a fixed name, or a matching one with a number in it, and something in it.
    public struct Candidate: Sendable, Equatable {
        public var name: String
        /// The number in the name; nil where that is a fixed one.
        public var step: Int?
        /// Every file of it by its path inside; of a checkpoint that is one file, that file by the empty path.
        public var files: [String: FileStatus]

        /// When its last file was written, in nanoseconds since 1970.
        public var modified: Int { files.values.map(\.modified).max() ?? 0 }
    }

    /// The checkpoints that are there now. A folder that does not exist holds none.
    public func candidates() throws(Problem) -> [Candidate] {
        try all().filter { !$0.files.isEmpty }
    }

    /// As `candidates`, and those that hold no file, without those to skip.
    public func all(skipping skipped: Set<String> = []) throws(Problem) -> [Candidate] {
        guard try File.isThere(path) else { return [] }
        var found: [Candidate] = []
        for name in try File.list(path) where !skipped.contains(name) {
            let step = names.contains(name) || fnmatch(pattern, name, FNM_PERIOD) != 0 ? nil : Self.step(in: name)
            guard step != nil || names.contains(name) else { continue }
            // What a fixed name leads to is saved over by other names.
            if step == nil && isLinkToFolder(name) { continue }
            found.append(Candidate(name: name, step: step, files: try Self.files(below: "\(path)/\(name)")))
        }
        return found
    }

    /// The newest first: the numbered ones by their steps, and each of a fixed name before those that are not younger.
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

    /// The last number in a name.
    public static func step(in name: String) -> Int? {
        name.split { !("0"..."9").contains($0) }.last.flatMap { Int($0) }
    }

    /// Whether a checkpoint, or one that is still being written, may have this name: that one may be called `tmp-checkpoint-7`.
    public func isSave(_ name: String) -> Bool {
        fnmatch("*\(pattern)*", name, 0) == 0 || names.contains(where: name.contains)
    }

    public func isLinkToFolder(_ name: String) -> Bool {
        File.status("\(path)/\(name)")?.isLink == true && File.statusOfTarget("\(path)/\(name)")?.isFolder == true
    }

    /// When a checkpoint, or one that is still being written, changed last, in nanoseconds since 1970.
    public var newestChange: Int? {
        let path = realPath
        return (try? File.list(path))?.filter(isSave)
            .compactMap { (try? Self.files(below: "\(path)/\($0)"))?.values.map(\.modified).max() }.max()
    }

    /// When any file of a checkpoint changed last, in nanoseconds since 1970. A log beside the checkpoints is none.
    public var newestSave: Int? {
        (try? candidates())?.flatMap { $0.files.values.map(\.modified) }.max()
    }

    /// Where the folder really is: an output folder is often a link to another one on the volume.
    public var realPath: String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func files(below path: String) throws(Problem) -> [String: FileStatus] {
        guard let status = File.status(path) else {
            if errno == ENOENT { return [:] }  // gone since
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
