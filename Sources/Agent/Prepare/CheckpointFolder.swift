internal import Glibc
internal import Shared

/// Where a run saves its checkpoints, and which of the names there are some.
struct CheckpointFolder: Sendable {
    let path: String
    let pattern: String

    /// nil where the spec names none.
    init?(of spec: RunSpec, in run: RunFolder) {
        guard let rule = spec.checkpoints else { return nil }
        path = run.work.appending(path: spec.workdir).appending(path: rule.path)
        pattern = rule.pattern
    }

    init(path: String, pattern: String) {
        self.path = path
        self.pattern = pattern
    }

    /// A checkpoint: a matching name with a number in it, and something in it.
    struct Candidate: Sendable, Equatable {
        var name: String
        var step: Int
        /// Every file of it by its path inside; of a checkpoint that is one file, that file by the empty path.
        var files: [String: FileStatus]
    }

    /// The checkpoints that are there now. A folder that does not exist holds none.
    func candidates() throws(Problem) -> [Candidate] {
        guard File.exists(path) else { return [] }
        var found: [Candidate] = []
        for name in try File.list(path) where fnmatch(pattern, name, FNM_PERIOD) == 0 {
            guard let step = Self.step(in: name) else { continue }
            let files = try Self.files(below: "\(path)/\(name)")
            if !files.isEmpty { found.append(Candidate(name: name, step: step, files: files)) }
        }
        return found
    }

    /// The last number in a name.
    static func step(in name: String) -> Int? {
        name.split { !("0"..."9").contains($0) }.last.flatMap { Int($0) }
    }

    /// A reference to the candidate with the highest step of those that `lineage` did not find already there.
    func newest(in lineage: Lineage) throws(Problem) -> CheckpointReference? {
        newest(of: try candidates().filter { !lineage.found($0) })
    }

    /// What there is of `lineage`.
    func count(in lineage: Lineage) throws(Problem) -> CheckpointCount {
        let own = try candidates().filter { !lineage.found($0) }
        return CheckpointCount(count: own.count, newest: newest(of: own))
    }

    private func newest(of candidates: [Candidate]) -> CheckpointReference? {
        candidates.max { $0.step < $1.step }
            .map { CheckpointReference(step: $0.step, path: "\(path)/\($0.name)") }
    }

    /// When anything in the folder changed last, in nanoseconds since 1970.
    var newestChange: Int? {
        (try? Self.files(below: realPath))?.values.map(\.modified).max()
    }

    /// When any file of a checkpoint changed last, in nanoseconds since 1970. A log beside the checkpoints is none.
    var newestSave: Int? {
        (try? candidates())?.flatMap { $0.files.values.map(\.modified) }.max()
    }

    /// Where the folder really is: an output folder is often a link to another one on the volume.
    var realPath: String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func files(below path: String) throws(Problem) -> [String: FileStatus] {
        guard let status = File.status(path) else { return [:] }
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
