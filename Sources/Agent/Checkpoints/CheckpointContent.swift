internal import Glibc
internal import Shared

/// The files of a checkpoint, folder by folder. Links to files count as files; links to folders are not followed.
struct CheckpointContent {
    struct Folder {
        /// By its path inside the checkpoint; empty for the checkpoint itself.
        var name: String
        /// Sorted.
        var files: [String] = []
    }

    /// Of a file: that file; of a folder: that folder.
    let path: String
    let isFolder: Bool
    private(set) var folders: [Folder] = []
    /// What is in it and no file.
    private(set) var findings: [Finding] = []

    /// Below a checkpoint no folders are nested deeper.
    private static let deepest = 64
    /// A bound on memory.
    private static let mostFiles = 1 << 20

    /// Throws a `Problem` where nothing is at `path`, or a folder cannot be listed.
    init(of path: String) throws(Problem) {
        self.path = path
        guard File.exists(path) else { throw Problem("read \"\(path)\"", errno: errno) }
        isFolder = Self.leadsToFolder(path)
        guard isFolder else {
            folders = [Folder(name: "", files: [""])]
            return
        }
        var count = 0
        try list("", depth: 0, &count)
    }

    /// By their paths inside; of a checkpoint that is one file, that file by the empty path.
    var files: [String] {
        folders.flatMap { folder in folder.files.map { Self.join(folder.name, $0) } }
    }

    /// Of each regular file, by its path inside, and of `others` that are there all the same; links to files are followed. Throws a
    /// `Problem` where the system does not tell of one whether it is there.
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

    /// Where the file of that path inside is.
    func path(of file: String) -> String { Self.join(path, file) }

    private static func join(_ folder: String, _ name: String) -> String {
        folder.isEmpty ? name : name.isEmpty ? folder : folder.hasSuffix("/") ? folder + name : "\(folder)/\(name)"
    }

    private static func leadsToFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private mutating func list(_ folder: String, depth: Int, _ count: inout Int) throws(Problem) {
        if depth == Self.deepest { throw Problem("the folders in \"\(path)\" are nested too deep") }
        var found = Folder(name: folder)
        var inner: [String] = []
        for name in try File.list(path(of: folder)) {
            let file = Self.join(folder, name)
            guard let status = File.status(path(of: file)) else {
                if errno == ENOENT { continue }  // gone since
                throw Problem("read \"\(path(of: file))\"", errno: errno)
            }
            if status.isFolder {
                inner.append(file)
            } else if status.isLink && Self.leadsToFolder(path(of: file)) {
                findings.append(Finding(.remark, file, "is a link to a folder, which is not followed"))
            } else {
                found.files.append(name)
                count += 1
                if count > Self.mostFiles { throw Problem("\"\(path)\" has more than \(Self.mostFiles) files") }
            }
        }
        folders.append(found)
        for folder in inner { try list(folder, depth: depth + 1, &count) }
    }
}
