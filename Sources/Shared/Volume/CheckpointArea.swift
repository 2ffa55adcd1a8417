/// The paths of a work tree that belong to the run's checkpoints: never packed, and never touched by a sync.
///
/// That is the folder `checkpoints.path` with all that is in it. If that folder also contains the code, because it is
/// `workdir` or a folder around it, only the checkpoints in it belong to the area. Paths are relative to the work tree.
public struct CheckpointArea: Sendable, Equatable {
    /// The components of the folder; nil if the work tree does not contain it.
    private var folder: [String]?
    /// Nil if all that is in the folder belongs to the area.
    private var rule: CheckpointRule?

    /// Nothing belongs to it.
    public init() {}

    /// `work` is the absolute path of the work tree: `workdir` may be absolute too.
    public init(of rule: CheckpointRule?, workdir: String, work: String) {
        guard let rule else { return }
        let work = Self.components(work)
        let from = workdir.hasPrefix("/") ? Self.components(workdir) : Self.components(workdir, from: work)
        let path = Self.components(StartFolders.widened(rule.path), from: from)
        guard path.starts(with: work) else { return }
        folder = Array(path.dropFirst(work.count))
        if from.starts(with: path) { self.rule = rule }
    }

    public init(of spec: RunSpec, in run: RunFolder) {
        self.init(of: spec.checkpoints, workdir: spec.workdir, work: run.work)
    }

    /// Whether the folder also contains code.
    public var containsCode: Bool { rule != nil }

    /// Returns the folder or the checkpoint in it that `path` is, or is in. Returns nil if the path does not belong to
    /// the area.
    public func part(of path: String) -> String? {
        guard let folder else { return nil }
        let components = Self.components(path)
        guard components.count >= folder.count, zip(folder, components).allSatisfy({ Self.matches($1, $0) }) else {
            return nil
        }
        guard let rule else { return components.prefix(folder.count).joined(separator: "/") }
        guard let depth = Self.depth(of: components.dropFirst(folder.count), rule) else { return nil }
        return components.prefix(folder.count + depth).joined(separator: "/")
    }

    /// Returns how many components name the checkpoint that `path` is, or is in; nil if it is in none.
    private static func depth(of path: ArraySlice<String>, _ rule: CheckpointRule) -> Int? {
        let fixed = (rule.names ?? []).flatMap(StartFolders.variants).map { ($0, isNumbered: false) }
        let numbered = ([rule.pattern] + (rule.companions ?? [])).map { ($0, isNumbered: true) }
        for (pattern, isNumbered) in fixed + numbered {
            let parts = pattern.split(separator: "/").map(String.init)
            guard path.count >= parts.count, zip(path, parts).allSatisfy({ matches($0, $1) }) else { continue }
            let names = path.prefix(parts.count)
            if !isNumbered || names.contains(where: { CheckpointFolder.step(in: $0) != nil }) { return parts.count }
        }
        return nil
    }

    /// Whether a name is `pattern` itself or one that its wildcards stand for.
    private static func matches(_ name: String, _ pattern: String) -> Bool {
        CheckpointPattern.matches(name, pattern)
    }

    /// Returns the components of a path seen from the folder `from`, without `.` and `..`.
    private static func components(_ path: String, from folder: [String] = []) -> [String] {
        path.split(separator: "/").reduce(into: folder) { components, part in
            if part == ".." { _ = components.popLast() } else if part != "." { components.append(String(part)) }
        }
    }
}
