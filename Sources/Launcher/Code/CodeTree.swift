internal import Shared

/// The files of a folder that are code and get packed.
///
/// In a git repository these are the files that git does not ignore, those of submodules and nested repositories too.
/// Elsewhere all files count. Files that `.launchignore` names, Python's caches and `NeverPacked` are excluded.
/// `.launchignore` also counts in a repository: nothing else can exclude a file that git tracks.
struct CodeTree: Sendable {
    /// In the order of the bytes of their paths, so that a folder comes before its content.
    private(set) var entries: [TarEntry] = []
    /// Excluded paths as `PATH (reason)`. A folder that is excluded as a whole is one entry.
    private(set) var leftOut: Set<String> = []
    private(set) var warnings: [String] = []

    let folder: String
    private let ignored: LaunchIgnore
    private let notCode: NotCode
    /// The words for the folders that this program writes, or nil, by their paths.
    private var words: [[UInt8]: String?] = [:]

    /// Names of folders that are excluded without a mention.
    private static let alwaysIgnored = [".git", "__pycache__"]

    init(folder: String, without notCode: NotCode = NotCode()) async throws {
        self.folder = folder
        self.notCode = notCode
        guard try File.exists(folder) else { throw Problem("there is no folder \"\(folder)\"") }
        ignored = try LaunchIgnore(in: folder)
        if let paths = try await listed(
            by: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], below: "")
        {
            var folders: [[UInt8]: Bool] = [:]
            var seen: Set<[UInt8]> = []
            // git lists a file once for each side of a merge.
            for path in paths where seen.insert(Array(path.utf8)).inserted && !isBelowLink(path, &folders) {
                try take(path)
            }
        } else {
            try walk("", try File.list(folder))
        }
        entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    /// The size of all files together, in bytes.
    var size: Int { entries.reduce(0) { $0 + $1.size } }

    var files: Int { entries.count { $0.kind != .folder } }

    func path(of entry: TarEntry) -> String { "\(folder)/\(entry.path)" }

    /// Returns the paths that git lists below `prefix`, which is empty or ends with a slash. nil without git.
    private mutating func listed(by question: [String], below prefix: String) async throws -> [String]? {
        let names = try await Git.ask(question, in: prefix.isEmpty ? folder : "\(folder)/\(prefix)")
        guard let names else { return nil }
        var paths: [String] = []
        for bytes in names.split(separator: 0) {
            guard let name = String(validating: bytes, as: UTF8.self) else {
                leftOut.insert("\(prefix)\(bytes.text) (its name is not UTF-8)")
                continue
            }
            let path = prefix + (name.utf8.last == UInt8(ascii: "/") ? String(name.dropLast()) : name)
            guard let status = File.status("\(folder)/\(path)"), status.isFolder else {
                paths.append(path)
                continue
            }
            // git lists a folder only if another repository begins there.
            if try !File.exists("\(folder)/\(path)/.git") {
                leftOut.insert("\(path) (a submodule that is not checked out)")
            } else if let inner = try await listed(by: question, below: path + "/") {
                paths += inner
            }
        }
        return paths
    }

    private mutating func walk(_ prefix: String, _ names: [String]) throws {
        for name in names {
            let path = prefix + name
            if Self.alwaysIgnored.contains(name) { continue }
            guard let status = File.status("\(folder)/\(path)") else {
                if name.unicodeScalars.contains("\u{FFFD}") { leftOut.insert("\(path) (its name is not UTF-8)") }
                continue
            }
            if !status.isFolder {
                try take(path)
            } else if !ignored.leavesOut(path, isFolder: true) {
                if isNotCode(path) || isNeverPacked(path + "/") { continue }
                let inner = try File.list("\(folder)/\(path)")
                if inner.isEmpty { entries.append(TarEntry(path, .folder)) }
                try walk(path + "/", inner)
            }
        }
    }

    /// Adds the file or link at `path` to `entries`. Skips a path that is absent or that is not code.
    private mutating func take(_ path: String) throws {
        guard let status = File.status("\(folder)/\(path)"), !status.isFolder else { return }
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0).text }
        if parts.contains(where: Self.alwaysIgnored.contains) || ignored.leavesOut(path, isFolder: false) { return }
        if isNotCode(path) || isNeverPacked(path) { return }
        if status.isLink {
            let target = try File.readLink("\(folder)/\(path)")
            if leadsOut(target, depth: parts.count - 1) {
                warnings.append("\"\(path)\" is a link that leads out of the code, to \"\(target)\"")
            }
            entries.append(TarEntry(path, .link(target: target)))
        } else if status.isFile {
            entries.append(TarEntry(path, .file(size: status.size, isExecutable: status.isExecutable)))
        } else {
            leftOut.insert("\(path) (a device, a pipe or a socket)")
        }
    }

    /// Whether a path belongs to the run's checkpoints or is written by this program.
    private mutating func isNotCode(_ path: String) -> Bool {
        if let part = notCode.checkpoints.part(of: path) {
            leaveOut(part, "the run's checkpoints")
            return true
        }
        let bytes = Array(path.utf8)
        for end in bytes.indices where bytes[end] == UInt8(ascii: "/") {
            let outer = Array(bytes[..<end])
            let known = words[outer] ?? notCode.words(at: "\(folder)/\(outer.text)")
            words[outer] = .some(known)
            if let known {
                leaveOut(outer.text, known)
                return true
            }
        }
        guard let own = notCode.words(at: "\(folder)/\(path)") else { return false }
        leaveOut(path, own)
        return true
    }

    /// The folder for checkpoints comes without its content: some trainings do not create it.
    private mutating func leaveOut(_ path: String, _ reason: String) {
        let isFolder = File.status("\(folder)/\(path)")?.isFolder ?? false
        guard leftOut.insert("\(path)\(isFolder ? "/" : "") (\(reason))").inserted, isFolder else { return }
        if notCode.checkpoints.part(of: path) != nil && !notCode.checkpoints.containsCode {
            entries.append(TarEntry(path, .folder))
        }
    }

    private mutating func isNeverPacked(_ path: String) -> Bool {
        guard let secret = NeverPacked.part(of: path) else { return false }
        leftOut.insert("\(secret) (made to hold secrets)")
        return true
    }

    /// Whether a link is above `path`: git still lists the files of a folder that a link replaced.
    private func isBelowLink(_ path: String, _ folders: inout [[UInt8]: Bool]) -> Bool {
        let bytes = Array(path.utf8)
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return false }
        let parent = Array(bytes[..<slash])
        if let known = folders[parent] { return known }
        let isLink = File.status("\(folder)/\(parent.text)")?.isLink ?? false
        let result = isLink || isBelowLink(parent.text, &folders)
        folders[parent] = result
        return result
    }

    /// Whether a link in a folder `depth` levels down leads out of the code, judged by the names in its target.
    private func leadsOut(_ target: String, depth: Int) -> Bool {
        if target.utf8.first == UInt8(ascii: "/") { return true }
        var level = depth
        for part in target.utf8.split(separator: UInt8(ascii: "/")) where Array(part).text != "." {
            level += Array(part).text == ".." ? -1 : 1
            if level < 0 { return true }
        }
        return false
    }
}
