internal import CLinux
internal import Glibc
internal import Shared

/// A folder that no path leads out of, whatever links are in it, also if they change meanwhile.
///
/// Each component is opened below the descriptor of the folder before it. This type follows links, not the kernel. A
/// link is allowed if each step of it stays inside. Every call blocks.
struct ConfinedFolder: Sendable {
    static let maxLinks = 40  // as many as the kernel follows, path_resolution(7)
    static let maxDepth = 100

    let root: String

    /// An open file or folder, and its path.
    struct Place {
        let descriptor: Descriptor
        let status: FileStatus
        /// The path without links.
        let path: VolumePath
    }

    /// Opens a file or a folder for reading.
    func open(_ path: VolumePath) throws -> Place {
        try reporting(path) {
            var walk = Walk(from: try Descriptor.folder(root), named: root)
            return try walk.open(path)
        }
    }

    /// Opens the folder that `path` leads to, and makes the missing folders.
    ///
    /// Before a folder is made, `check` gets the path of the last one, without the links that are known by then. An
    /// error of `check` ends the call.
    func openFolder(_ path: VolumePath, making check: @escaping (VolumePath) throws -> Void) throws -> Place {
        try reporting(path) {
            var walk = Walk(from: try Descriptor.folder(root), named: root)
            if let file = try walk.follow(path.components, making: check) {
                throw APIError(.conflict, "\"\(file.text)\" is not a folder")
            }
            return try walk.folder()
        }
    }

    private func reporting<Value>(_ path: VolumePath, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch let error as Errno { throw APIError(error, path.text) }
    }
}

/// The way from a root to one place, with every folder on it open.
private struct Walk {
    private let root: String
    private var folders: [Descriptor]
    private var names: [[UInt8]] = []
    private var links = 0

    init(from folder: Descriptor, named root: String) {
        self.root = root
        folders = [folder]
    }

    private var top: Descriptor { folders[folders.count - 1] }

    mutating func open(_ path: VolumePath) throws -> ConfinedFolder.Place {
        guard let name = try follow(path.components) else { return try folder() }
        // The name may have a new entry by now. It is in this folder too.
        let file = try top.open(name, O_RDONLY)
        let status = try file.status
        guard status.isFile else { throw APIError(.forbidden, "\"\(path.text)\" is neither a file nor a folder") }
        return ConfinedFolder.Place(descriptor: file, status: status, path: VolumePath(names + [name]))
    }

    /// The folder that the walk has reached.
    func folder() throws -> ConfinedFolder.Place {
        let folder = try top.open(Array(".".utf8), O_RDONLY | O_DIRECTORY)
        return ConfinedFolder.Place(descriptor: folder, status: try folder.status, path: VolumePath(names))
    }

    /// Follows `components` down. Returns the name of the last one if it is not a folder.
    mutating func follow(_ components: [[UInt8]], making check: ((VolumePath) throws -> Void)? = nil) throws -> [UInt8]?
    {
        var rest = Array(components.reversed())
        while let name = rest.popLast() {
            if name == Array("..".utf8) {
                guard folders.count > 1 else { throw Self.leadsOut(components) }
                folders.removeLast()
                names.removeLast()
                continue
            }
            let entry = try enter(name) { () throws in
                guard let check else { throw Errno(ENOENT) }
                try check(VolumePath(names + [name] + rest.reversed()))
            }
            let status = try entry.status
            if status.isLink {
                rest += try target(of: entry, in: components).reversed()
            } else if status.isFolder {
                guard folders.count < ConfinedFolder.maxDepth else { throw Errno(ENAMETOOLONG) }
                folders.append(entry)
                names.append(name)
            } else if rest.isEmpty {
                return name
            } else {
                throw Errno(ENOTDIR)
            }
        }
        return nil
    }

    /// Opens the entry `name`. If it is absent, makes a folder after `check`.
    private func enter(_ name: [UInt8], check: () throws -> Void) throws -> Descriptor {
        do throws(Errno) {
            return try top.open(name, linux_open_as_path)
        } catch {
            guard error.code == ENOENT else { throw error }
        }
        try check()
        try Errno.check(except: EEXIST) { mkdirat(top.number, name.cString, 0o755) }
        let folder = try top.open(Array(".".utf8), O_RDONLY | O_DIRECTORY)
        try Errno.check { fsync(folder.number) }
        return try top.open(name, linux_open_as_path)
    }

    /// Returns the components that a link stands for. An absolute link begins again at the root.
    private mutating func target(of link: Descriptor, in components: [[UInt8]]) throws -> [[UInt8]] {
        links += 1
        guard links <= ConfinedFolder.maxLinks else { throw Errno(ELOOP) }
        let target = try link.linkTarget
        var parts = Self.components(target)
        if target.first == UInt8(ascii: "/") {
            guard
                let start = [root, Self.realPath(root)].map({ Self.components(Array($0.utf8)) })
                    .first(where: parts.starts)
            else { throw Self.leadsOut(components) }
            parts.removeFirst(start.count)
            folders.removeLast(folders.count - 1)
            names = []
        }
        return parts
    }

    private static func components(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != Array(".".utf8) }
    }

    private static func realPath(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    private static func leadsOut(_ components: [[UInt8]]) -> APIError {
        APIError(.forbidden, "\"\(VolumePath(components).text)\" leads out of the volume")
    }
}
