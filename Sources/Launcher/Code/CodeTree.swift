internal import Shared

/// The files of a folder that are code and get packed: those that `CodeListing` selects, without the run's checkpoints,
/// files of this program and `NeverPacked`.
struct CodeTree: Sendable {
    /// In the order of the bytes of their paths, so that a folder comes before its content.
    private(set) var entries: [TarEntry] = []
    /// Excluded paths as `PATH (reason)`. A folder that is excluded as a whole is one entry.
    private(set) var leftOut: Set<String> = []
    private(set) var warnings: [String] = []
    let ignored: IgnoreReport

    let folder: String
    private let notCode: NotCode
    /// The words for the folders that this program writes, or nil, by their paths.
    private var words: [[UInt8]: String?] = [:]

    /// The paths in `include` are added whatever ignore rules say.
    init(folder: String, without notCode: NotCode = NotCode(), including include: [String] = []) async throws {
        self.folder = folder
        self.notCode = notCode
        guard try File.exists(folder) else { throw Problem("there is no folder \"\(folder)\"") }
        let listing = try await CodeListing(of: folder, include: include) { path in
            notCode.excludes(path, in: folder) || NeverPacked.part(of: path + "/") != nil
        }
        ignored = listing.report
        leftOut = Set(listing.leftOut)
        var folders: [[UInt8]: Bool] = [:]
        var seen: Set<[UInt8]> = []
        // git lists a file once for each side of a merge.
        for path in listing.paths where seen.insert(Array(path.utf8)).inserted && !isBelowLink(path, &folders) {
            try take(path)
        }
        entries.sort { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
        for path in include { try checkIncluded(path) }
    }

    /// Throws if nothing came of a path in `include`.
    private func checkIncluded(_ path: String) throws(Problem) {
        let isIn = path == "." || entries.contains { $0.path == path || $0.path.hasPrefix(path + "/") }
        if isIn && !notCode.excludes(path, in: folder) { return }
        if File.status("\(folder)/\(path)") == nil {
            throw Problem(
                "\"code.include\" names \"\(path)\", which does not exist",
                hint: "paths are relative to the code, \"\(folder)\"; for a pattern write "
                    + "\"!/data/*.json\" into \(IgnoreRules.launchFile)")
        }
        throw Problem(
            "\"code.include\" names \"\(path)\", which is never packed",
            hint: "it is made to hold secrets, belongs to the run, or lies behind a link")
    }

    /// The size of all files together, in bytes.
    var size: Int { entries.reduce(0) { $0 + $1.size } }

    var files: Int { entries.count { $0.kind != .folder } }

    func path(of entry: TarEntry) -> String { "\(folder)/\(entry.path)" }

    /// Adds the file, link or empty folder at `path` to `entries`. Skips a path that is absent or that is not code.
    private mutating func take(_ path: String) throws {
        guard let status = File.status("\(folder)/\(path)") else { return }
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { Array($0).text }
        if parts.contains(where: CodeListing.alwaysIgnored.contains) || isNotCode(path) { return }
        if isNeverPacked(path + (status.isFolder ? "/" : "")) { return }
        if status.isFolder {
            entries.append(TarEntry(path, .folder))
        } else if status.isLink {
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
