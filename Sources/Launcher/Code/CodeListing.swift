internal import Shared

/// The paths of a folder that ignore rules select as code.
///
/// In a git repository git selects them. Elsewhere the folder is walked: `.gitignore` counts in each folder, and git
/// selects the files of the repositories inside. A rule of `.launchignore` at the top precedes all of these. With `!`
/// it brings back what they ignore. Paths of `include` come whatever the rules say.
struct CodeListing {
    /// Files, links, and folders that are empty or need no walk.
    private(set) var paths: [String] = []
    /// Paths that no rule excludes and that cannot be packed: `PATH (reason)`.
    private(set) var leftOut: [String] = []
    private(set) var report: IgnoreReport

    private let folder: String
    private let launchRules: IgnoreRules
    /// Whether nothing in a folder is code.
    private let needsNoWalk: (String) -> Bool

    /// Names that are excluded without a mention.
    static let alwaysIgnored = [".git", "__pycache__"]

    /// `needsNoWalk` says of a folder whether nothing in it is code.
    init(of folder: String, include: [String], needsNoWalk: @escaping (String) -> Bool) async throws {
        self.folder = folder
        self.needsNoWalk = needsNoWalk
        launchRules = try IgnoreRules(file: "\(folder)/\(IgnoreRules.launchFile)")
        report = IgnoreReport(included: include)
        if !launchRules.isEmpty { report.use(IgnoreRules.launchFile) }
        if try await !addRepository("") { try await walk("", under: [], isIgnored: false) }
        for path in include { try addAll(path) }
    }

    private func status(_ path: String) -> FileStatus? { File.status("\(folder)/\(path)") }
}

// MARK: - Repositories

extension CodeListing {
    /// Adds the files of the repository at `prefix`, which is empty or ends with a slash. Returns false without git.
    private mutating func addRepository(_ prefix: String) async throws -> Bool {
        guard let listed = try await names(["--cached", "--others", "--exclude-standard"], in: prefix) else {
            return false
        }
        report.use(IgnoreReport.git)
        for path in listed { try await addListed(path) }
        // Git fails in a folder that is itself inside of an ignored one.
        let ignored = try? await names(["--others", "--ignored", "--exclude-standard", "--directory"], in: prefix)
        for path in ignored ?? [] { try await visitIgnored(path, in: prefix) }
        return true
    }

    /// Returns the paths that git lists, without slashes at their ends; nil without git.
    private mutating func names(_ options: [String], in prefix: String) async throws -> [String]? {
        let place = prefix.isEmpty ? folder : "\(folder)/\(prefix)"
        let answer = try await Git.ask(["ls-files", "-z"] + options, in: place)
        return answer?.split(separator: 0).compactMap { bytes in
            guard let name = String(validating: bytes, as: UTF8.self) else {
                leftOut.append("\(prefix)\(bytes.text) (its name is not UTF-8)")
                return nil
            }
            return prefix + (name.utf8.last == UInt8(ascii: "/") ? String(name.dropLast()) : name)
        }
    }

    /// Adds a path that git lists. A folder is listed only if another repository begins there.
    private mutating func addListed(_ path: String) async throws {
        if let part = launchRules.ignoredPart(of: path) {
            report.ignore(part)
        } else if status(path)?.isFolder != true {
            paths.append(path)
        } else if try !File.exists("\(folder)/\(path)/.git") {
            leftOut.append("\(path) (a submodule that is not checked out)")
        } else {
            _ = try await addRepository(path + "/")
        }
    }

    /// Reports a path that git ignores, and adds what `.launchignore` brings back of it.
    private mutating func visitIgnored(_ path: String, in prefix: String) async throws {
        // git lists "./" if it ignores the whole folder.
        if path == prefix + "." {
            report.ignore(path + "/")
            return try await walk(prefix, under: [], isIgnored: true)
        }
        guard let status = status(path), !Self.alwaysIgnored.contains(path.lastComponent) else { return }
        report.ignore(path + (status.isFolder ? "/" : ""))
        if launchRules.ignoredPart(of: path) == nil { try await visit(path, under: [], isIgnored: true) }
    }
}

// MARK: - Folders

/// The rules of a `.gitignore`, and how many folders deep it is.
private struct FolderRules {
    let depth: Int
    let rules: IgnoreRules
}

extension CodeListing {
    /// Visits what is in the folder at `prefix`. `outer` are the rules of the folders above.
    ///
    /// `isIgnored`: other rules than those of `.launchignore` ignore the folder.
    private mutating func walk(_ prefix: String, under outer: [FolderRules], isIgnored: Bool) async throws {
        let own = FolderRules(
            depth: prefix.pathComponents.count,
            rules: try IgnoreRules(file: "\(folder)/\(prefix)\(IgnoreRules.gitFile)"))
        if !own.rules.isEmpty { report.use(IgnoreRules.gitFile) }
        for name in try File.list("\(folder)/\(prefix)") {
            try await visit(prefix + name, under: own.rules.isEmpty ? outer : outer + [own], isIgnored: isIgnored)
        }
    }

    /// Adds a path unless rules ignore it: a file itself, and of a folder what is in it.
    private mutating func visit(_ path: String, under rules: [FolderRules], isIgnored: Bool) async throws {
        if Self.alwaysIgnored.contains(path.lastComponent) { return }
        guard let status = status(path) else {
            if path.unicodeScalars.contains("\u{FFFD}") { leftOut.append("\(path) (its name is not UTF-8)") }
            return
        }
        let parts = path.pathComponents
        let isFolder = status.isFolder
        let inner = rules.reversed().lazy.compactMap { $0.rules.ignores(parts.dropFirst($0.depth), isFolder: isFolder) }
        let others = isIgnored || inner.first == true
        let own = launchRules.ignores(parts, isFolder: isFolder)
        if own ?? others {
            if !isIgnored { report.ignore(path + (isFolder ? "/" : "")) }
            guard isFolder, own == nil, launchRules.bringsBackBelow(parts) else { return }
            return try await walk(path + "/", under: rules, isIgnored: true)
        }
        if others { report.bringBack(path + (isFolder ? "/" : "")) }
        if !isFolder || needsNoWalk(path) { return paths.append(path) }
        if try File.exists("\(folder)/\(path)/.git"), try await addRepository(path + "/") { return }
        if try File.list("\(folder)/\(path)").isEmpty { return paths.append(path) }
        try await walk(path + "/", under: rules, isIgnored: false)
    }

    /// Adds a path whatever rules say.
    private mutating func addAll(_ path: String) throws {
        let isTop = path == "."
        guard status(path)?.isFolder == true, isTop || !needsNoWalk(path) else { return paths.append(path) }
        let names = try File.list("\(folder)/\(path)").filter { !Self.alwaysIgnored.contains($0) }
        if names.isEmpty { paths.append(path) }
        for name in names { try addAll(isTop ? name : "\(path)/\(name)") }
    }
}
