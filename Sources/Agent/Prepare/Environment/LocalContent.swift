internal import Shared

/// Digests of files and folders that requirements name by their path.
struct LocalContent: Sendable {
    /// The run's work tree.
    let folder: String
    /// Paths of the files that the last pack brought, relative to the work tree; nil if there was no pack.
    let code: [String]?

    init(run: RunFolder) throws {
        folder = run.work
        code = try CodeManifest.read(of: run).map { manifest in
            manifest.files.filter { if case .folder = $0.content { false } else { true } }.map(\.path.text)
        }
    }

    /// Larger files outside of the work tree are identified by size and time, in bytes. A pack has 100 MB at most, but
    /// a folder of wheels on the volume may have many gigabytes.
    private static let maxHashedSize = 16 << 20
    /// Names of what tools write into a folder of sources.
    private static let made: Set = [
        ".git", ".hg", ".venv", "venv", "__pycache__", ".tox", ".eggs", ".mypy_cache", ".pytest_cache", ".ruff_cache",
        "build", "dist", "node_modules",
    ]
    /// The endings and names of files that decide how an editable package is installed. The others are used in place.
    private static let buildNames: Set = ["setup.py", "setup.cfg", "CMakeLists.txt", "meson.build", "Makefile"]
    private static let buildEndings = [
        ".toml", ".lock", ".in", ".txt", ".c", ".cc", ".cpp", ".cxx", ".cu", ".cuh", ".h", ".hpp", ".pyx", ".pxd",
        ".rs",
        ".f", ".f90", ".cmake", ".proto",
    ]

    /// Returns a digest of the file or folder at `path`, relative to the work tree, and of all that is in it.
    func digest(of path: String) throws -> String { try digest(path) { _ in true } }

    /// Returns a digest of what an editable package in a folder is built from: build files, sources of extensions, and
    /// the folders with Python files.
    func buildDigest(of path: String) throws -> String {
        let folders = Set(try files(path).filter { $0.hasSuffix(".py") }.map(\.parentFolder)).sorted()
        return try digest(path) { name in
            Self.buildNames.contains(name.lastComponent) || Self.buildEndings.contains { name.hasSuffix($0) }
        } + folders.joined(separator: "\n")
    }

    /// Returns a digest of the files in a folder that pip may choose from.
    func linksDigest(of path: String) throws -> String {
        try digest(path) { name in !name.contains("/") && !name.hasSuffix(".py") }
    }

    private func digest(_ path: String, _ isWanted: (String) -> Bool) throws -> String {
        let full = folder.appending(path: path)
        guard let status = File.statusOfTarget(full) else { return "missing" }
        guard status.isFolder else { return try fileDigest(full) }
        return try files(path).filter(isWanted).map { "\($0) \(try fileDigest("\(full)/\($0)"))\n" }.joined()
    }

    /// Returns the files in a folder, relative to it and sorted. In the work tree they are those of the pack: what the
    /// training writes there is no source of a package.
    private func files(_ path: String) throws -> [String] {
        let full = folder.appending(path: path)
        guard File.statusOfTarget(full)?.isFolder == true else { return [] }
        if let code, let top = File.realPath(folder), let prefix = File.realPath(full)?.inside(top) {
            let inside =
                prefix.isEmpty
                ? code
                : code.compactMap { name in
                    name.hasPrefix(prefix + "/") ? String(name.dropFirst(prefix.count + 1)) : nil
                }
            return inside.filter { !$0.contains(".egg-info/") }.sorted()
        }
        return try walk(full, "").sorted()
    }

    private func walk(_ root: String, _ inner: String) throws -> [String] {
        try File.list(inner.isEmpty ? root : "\(root)/\(inner)").flatMap { name -> [String] in
            if Self.made.contains(name) || name.hasSuffix(".egg-info") || name.hasSuffix(".pyc") { return [] }
            let path = inner.isEmpty ? name : "\(inner)/\(name)"
            guard let status = File.status("\(root)/\(path)") else { return [] }
            return status.isFolder ? try walk(root, path) : [path]
        }
    }

    private func fileDigest(_ path: String) throws -> String {
        guard let status = File.statusOfTarget(path) else { return "missing" }
        if !status.isFile { return "no file" }
        if status.size > Self.maxHashedSize && path.inside(folder) == nil { return "\(status.size) \(status.modified)" }
        return SHA256Digest(of: try File.read(path)).description
    }
}

extension String {
    /// Returns this path relative to `folder`; nil if it is not in there.
    fileprivate func inside(_ folder: String) -> String? {
        if self == folder { return "" }
        return hasPrefix(folder + "/") ? String(dropFirst(folder.count + 1)) : nil
    }
}
