#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// The place where a run saves its checkpoints, and the names there that are checkpoints.
public struct CheckpointFolder: Sendable {
    /// The part of `checkpoints.path` before the first wildcard. Names of checkpoints are relative to it.
    public let path: String
    /// The patterns of numbered checkpoints, and of the files that belong to them.
    let pattern: CheckpointPattern
    let companions: [CheckpointPattern]
    /// The patterns of fixed names. A name that matches `pattern` too is a fixed one.
    let fixed: [CheckpointPattern]

    /// Returns nil if the spec names no checkpoints.
    public init?(of spec: RunSpec, in run: RunFolder) {
        guard let rule = spec.checkpoints else { return nil }
        self.init(
            path: run.work.appending(path: spec.workdir).appending(path: rule.path), pattern: rule.pattern,
            names: rule.names ?? [], companions: rule.companions ?? [])
    }

    public init(path: String, pattern: String, names: [String] = [], companions: [String] = []) {
        let components = StartFolders.widened(path).split(separator: "/", omittingEmptySubsequences: false)
            .map(String.init)
        let plain = components.prefix { !CheckpointPattern.hasWildcard($0) }
        let below = Array(components.dropFirst(plain.count))
        self.path = plain.joined(separator: "/")
        self.pattern = CheckpointPattern(pattern, below: below)
        self.companions = companions.map { CheckpointPattern($0, below: below) }
        fixed = names.flatMap(StartFolders.variants).map { CheckpointPattern($0, below: below) }
    }

    /// The fixed names that hold no wildcard.
    public var names: [String] { fixed.filter { !$0.hasWildcard }.map(\.text) }

    public var hasFixedNames: Bool { !fixed.isEmpty }

    /// The path of numbered checkpoints with wildcards; nil if the run has only fixed names.
    public var numbered: String? { pattern.hasWildcard ? "\(path)/\(pattern.text)" : nil }

    /// Whether files beside the checkpoint `name` may belong to it.
    public func mayHaveCompanions(_ name: String) -> Bool {
        !companions.isEmpty || !CompanionTable.patterns(of: name.lastComponent).isEmpty
    }

    /// Whether the checkpoint `name` is saved again and again under its name.
    public func isFixed(_ name: String) -> Bool { fixed.contains { $0.matches(name) } }

    /// Whether a change of `entry`, directly in the folder, may change the checkpoint `name`.
    public func mayConcern(_ name: String, _ entry: String) -> Bool {
        name == entry || name.hasPrefix("\(entry)/")
            || !name.contains("/")
                && CompanionTable.patterns(of: name).contains { CheckpointPattern.matches(entry, $0) }
            || !companions.isEmpty && companions.contains { $0.mayConcern(entry) }
    }

    /// A checkpoint: a fixed name, or one that matches the pattern and has a number.
    public struct Candidate: Sendable, Equatable {
        /// The path of its main file or folder below the folder.
        public var name: String
        /// The step that its name says; nil if it says none for sure.
        public var step: Int?
        public var hasFixedName = false
        /// Each file by its path inside, the empty path if the checkpoint is a file. A file beside it that belongs to
        /// it has the path `../NAME`.
        public var files: [String: FileStatus]
        /// The attempt that saved it; 0 if it existed before the run, nil if that is not known.
        public var attempt: Int?
        /// The time at which its save ended, in nanoseconds since 1970; nil: that of its newest file.
        public var saved: Int?

        /// The time at which its last file was written, in nanoseconds since 1970.
        public var modified: Int { files.values.map(\.modified).max() ?? 0 }

        /// The names of the files beside it that belong to it.
        public var companions: [String] {
            files.keys.filter { $0.hasPrefix("../") }.map { String($0.dropFirst(3)) }.sorted()
        }

        /// Whether the file at `path`, relative to the checkpoint folder, belongs to it.
        public func owns(_ path: String) -> Bool {
            path == name || path.hasPrefix("\(name)/")
                || companions.contains { path == (name.parentFolder == "." ? $0 : "\(name.parentFolder)/\($0)") }
        }
    }

    /// Returns the checkpoints that exist now. A folder that does not exist has none.
    public func candidates() throws(Problem) -> [Candidate] {
        try all().filter { !$0.files.isEmpty }
    }

    /// Like `candidates`, with those that have no file, without those to skip.
    public func all(skipping skipped: Set<String> = []) throws(Problem) -> [Candidate] {
        guard try File.exists(path) else { return [] }
        var found: [String: Candidate] = [:]
        for name in fixed {
            for entry in try entries(name) where found[entry.name] == nil && !skipped.contains(entry.name) {
                // The folder that it leads to is a checkpoint of another name.
                if isLinkToFolder(entry.name) { continue }
                found[entry.name] = try candidate(entry, isFixed: true)
            }
        }
        for entry in try entries(pattern) where !skipped.contains(entry.name) && !isFixed(entry.name) {
            guard CheckpointName.hasNumber(entry.name, pattern) else { continue }
            found[entry.name] = try candidate(entry, isFixed: false)
        }
        CheckpointName.readSteps(&found, pattern)
        return found.values.sorted { $0.name < $1.name }
    }

    private typealias Entry = (name: String, siblings: [String])

    /// Returns the entries that match a pattern, with the names of all entries beside them.
    private func entries(_ pattern: CheckpointPattern) throws(Problem) -> [Entry] {
        var folders = [""]
        for part in pattern.folders {
            var inner: [String] = []
            for folder in folders {
                let names = try CheckpointPattern.hasWildcard(part) ? list(folder) : [part]
                inner += names.filter { CheckpointPattern.matches($0, part) }.map {
                    folder.isEmpty ? $0 : "\(folder)/\($0)"
                }
            }
            folders = inner.filter { File.statusOfTarget("\(path)/\($0)")?.isFolder == true }
        }
        var found: [Entry] = []
        for folder in folders {
            let names = try list(folder)
            for name in names {
                let whole = folder.isEmpty ? name : "\(folder)/\(name)"
                if pattern.matches(whole) { found.append((whole, names)) }
            }
        }
        return found
    }

    private func list(_ folder: String) throws(Problem) -> [String] {
        try File.list(folder.isEmpty ? path : "\(path)/\(folder)")
    }

    private func candidate(_ entry: Entry, isFixed: Bool) throws(Problem) -> Candidate {
        var files = try Self.files(below: "\(path)/\(entry.name)")
        if files[""] != nil, !isFixed {
            for name in names(belongingTo: entry) {
                if let status = File.status("\(path)/\(entry.name)".parentFolder + "/" + name), !status.isFolder {
                    files["../\(name)"] = status
                }
            }
        }
        return Candidate(name: entry.name, hasFixedName: isFixed, files: files)
    }

    /// Returns the names of the files beside `entry` that belong to the same checkpoint.
    private func names(belongingTo entry: Entry) -> [String] {
        let name = entry.name.lastComponent
        let known = CompanionTable.patterns(of: name)
        let own = companions.isEmpty ? nil : pattern.step(in: entry.name).map { "\($0)" }
        return entry.siblings.filter { sibling in
            guard sibling != name else { return false }
            if known.contains(where: { CheckpointPattern.matches(sibling, $0) }) { return true }
            let folder = entry.name.parentFolder
            let whole = folder == "." ? sibling : "\(folder)/\(sibling)"
            return own != nil && companions.contains { $0.matches(whole) && $0.step(in: whole).map { "\($0)" } == own }
        }
    }

    /// The newest first: by the attempt that saved it, then by the time, then by the step.
    public static func newestFirst(_ candidates: [Candidate]) -> [Candidate] {
        func key(_ one: Candidate) -> (Int, Int, Int, String) {
            (
                one.attempt ?? .max, one.files.isEmpty ? .max : one.saved ?? one.modified,
                one.hasFixedName ? .max : one.step ?? -1, one.name
            )
        }
        return candidates.sorted { key($0) > key($1) }
    }

    public func path(of candidate: Candidate) -> String { "\(path)/\(candidate.name)" }

    /// Returns the path of a file of the checkpoint at `checkpoint`, given its path inside.
    public static func path(of file: String, in checkpoint: String) -> String {
        if file.isEmpty { return checkpoint }
        if file.hasPrefix("../") { return "\(checkpoint.withoutSlashes.parentFolder)/\(file.dropFirst(3))" }
        return checkpoint.hasSuffix("/") ? checkpoint + file : "\(checkpoint)/\(file)"
    }

    public func reference(to candidate: Candidate) -> CheckpointReference {
        CheckpointReference(
            step: candidate.step, path: path(of: candidate), modified: candidate.saved ?? candidate.modified,
            attempt: candidate.attempt)
    }

    /// The last number in a name.
    public static func step(in name: String) -> Int? {
        name.split { !("0"..."9").contains($0) }.last.flatMap { Int($0) }
    }

    /// Whether the entry of this name in the folder may be a checkpoint, hold one, or be one that is still being
    /// written. That one may be called `tmp-checkpoint-7`.
    public func isSave(_ name: String) -> Bool {
        ([pattern] + companions + fixed).contains { $0.mayConcern(name) }
            || CompanionTable.mayConcern(name, pattern.last)
    }

    /// Whether the last part of a checkpoint's path may be `name`.
    public func hasForm(_ name: String) -> Bool {
        CheckpointPattern.matches(name, pattern.last) && Self.step(in: CheckpointName.stem(of: name)) != nil
    }

    public func isLinkToFolder(_ name: String) -> Bool {
        File.status("\(path)/\(name)")?.isLink == true && File.statusOfTarget("\(path)/\(name)")?.isFolder == true
    }

    /// The time at which a checkpoint, or one that is still being written, last changed, in nanoseconds since 1970.
    public var newestChange: Int? {
        let path = realPath
        return (try? File.list(path))?.filter(isSave)
            .compactMap { (try? Self.files(below: "\(path)/\($0)"))?.values.map(\.modified).max() }.max()
    }

    /// The time at which any file of a checkpoint last changed, in nanoseconds since 1970. A log beside it is none.
    public var newestSave: Int? {
        (try? candidates())?.flatMap { $0.files.values.map(\.modified) }.max()
    }

    /// The folder's path without links: an output folder is often a link to another one on the volume.
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
