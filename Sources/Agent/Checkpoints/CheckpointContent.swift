internal import Glibc
internal import Shared

/// The files of a checkpoint, folder by folder. Links to files count as files; links to folders are not followed.
struct CheckpointContent {
    struct Folder {
        /// The folder's path inside the checkpoint; empty for the checkpoint itself.
        var name: String
        /// The names of its files, sorted.
        var files: [String] = []
    }

    /// The checkpoint itself: a folder or a single file.
    let path: String
    let isFolder: Bool
    private(set) var folders: [Folder] = []
    /// A remark on each entry that is skipped.
    private(set) var findings: [Finding] = []

    /// Folders below a checkpoint. No library nests them as deep.
    private static let maxDepth = 64
    /// The largest number of files of a checkpoint, as a bound on memory.
    private static let maxFiles = 1 << 20

    /// `companions` are the names of files beside it that belong to it. Throws a `Problem` if nothing is at `path` or a
    /// folder cannot be listed.
    init(of path: String, with companions: [String] = []) throws(Problem) {
        self.path = path
        guard try File.exists(path) else { throw Problem("read \"\(path)\"", errno: ENOENT) }
        isFolder = Self.leadsToFolder(path)
        guard isFolder else {
            folders = [Folder(name: "", files: [""] + companions.map { "../\($0)" })]
            return
        }
        var count = 0
        try list("", depth: 0, &count)
    }

    /// The paths of all files inside the checkpoint. A checkpoint that is a single file has the empty path.
    var files: [String] {
        folders.flatMap { folder in folder.files.map { Self.join(folder.name, $0) } }
    }

    /// Returns the status of each regular file by its path inside, and of those `others` that exist. Follows links to
    /// files. Throws a `Problem` if the system cannot say whether a file exists.
    func statuses(and others: [String] = []) throws(Problem) -> [String: FileStatus] {
        var found: [String: FileStatus] = [:]
        for file in Set(files).union(others) {
            if let status = File.statusOfTarget(path(of: file)) {
                if status.isFile { found[file] = status }
            } else if ![ENOENT, ENOTDIR, ELOOP].contains(errno) {
                throw Problem("read \"\(path(of: file))\"", errno: errno)
            }
        }
        return found
    }

    /// Returns the full path of a file, given its path inside the checkpoint.
    func path(of file: String) -> String { CheckpointFolder.path(of: file, in: path) }

    private static func join(_ folder: String, _ name: String) -> String {
        if folder.isEmpty { return name }
        if name.isEmpty { return folder }
        return folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    private static func leadsToFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private mutating func list(_ folder: String, depth: Int, _ count: inout Int) throws(Problem) {
        if depth == Self.maxDepth { throw Problem("the folders in \"\(path)\" are nested too deep") }
        var found = Folder(name: folder)
        var inner: [String] = []
        for name in try File.list(path(of: folder)) {
            let file = Self.join(folder, name)
            guard let status = File.status(path(of: file)) else {
                if errno == ENOENT { continue }  // deleted meanwhile
                throw Problem("read \"\(path(of: file))\"", errno: errno)
            }
            if status.isFolder {
                inner.append(file)
            } else if status.isLink && Self.leadsToFolder(path(of: file)) {
                findings.append(Finding(.remark, file, "is a link to a folder, which is not followed"))
            } else {
                found.files.append(name)
                count += 1
                if count > Self.maxFiles { throw Problem("\"\(path)\" has more than \(Self.maxFiles) files") }
            }
        }
        folders.append(found)
        for folder in inner { try list(folder, depth: depth + 1, &count) }
    }
}
