#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Where a run saves its checkpoints, and which of the names there are some.
public struct CheckpointFolder: Sendable {
    public let path: String
    public let pattern: String

    /// nil where the spec names none.
    public init?(of spec: RunSpec, in run: RunFolder) {
        guard let rule = spec.checkpoints else { return nil }
        path = run.work.appending(path: spec.workdir).appending(path: rule.path)
        pattern = rule.pattern
    }

    public init(path: String, pattern: String) {
        self.path = path
        self.pattern = pattern
    }

    /// A checkpoint: a matching name with a number in it, and something in it.
    public struct Candidate: Sendable, Equatable {
        public var name: String
        public var step: Int
        /// Every file of it by its path inside; of a checkpoint that is one file, that file by the empty path.
        public var files: [String: FileStatus]
    }

    /// The checkpoints that are there now. A folder that does not exist holds none.
    public func candidates() throws(Problem) -> [Candidate] {
        try all().filter { !$0.files.isEmpty }
    }

    /// As `candidates`, and those that hold no file, without those to skip.
    public func all(skipping names: Set<String> = []) throws(Problem) -> [Candidate] {
        guard try File.isThere(path) else { return [] }
        var found: [Candidate] = []
        for name in try File.list(path) where fnmatch(pattern, name, FNM_PERIOD) == 0 && !names.contains(name) {
            guard let step = Self.step(in: name) else { continue }
            found.append(Candidate(name: name, step: step, files: try Self.files(below: "\(path)/\(name)")))
        }
        return found
    }

    public func path(of candidate: Candidate) -> String { "\(path)/\(candidate.name)" }

    public func reference(to candidate: Candidate) -> CheckpointReference {
        CheckpointReference(step: candidate.step, path: path(of: candidate))
    }

    /// The last number in a name.
    public static func step(in name: String) -> Int? {
        name.split { !("0"..."9").contains($0) }.last.flatMap { Int($0) }
    }

    /// When anything in the folder changed last, in nanoseconds since 1970.
    public var newestChange: Int? {
        (try? Self.files(below: realPath))?.values.map(\.modified).max()
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
