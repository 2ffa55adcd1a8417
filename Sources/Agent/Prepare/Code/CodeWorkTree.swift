internal import Glibc
internal import Shared

/// The paths of a run's work tree, to read them. All are relative to it.
struct CodeWorkTree {
    let root: String

    func absolute(_ path: CodePath) -> String { path.isEmpty ? root : "\(root)/\(path.text)" }

    func status(_ path: CodePath) -> FileStatus? { File.status(absolute(path)) }

    func names(in folder: CodePath) throws -> [CodePath] { try File.list(absolute(folder)).map { Array($0.utf8) } }

    func isBelowLink(_ path: CodePath) -> Bool { path.folders.contains { status($0)?.isLink ?? false } }

    func leadsToFolder(_ path: CodePath) -> Bool { File.statusOfTarget(absolute(path))?.isFolder ?? false }

    func leadsNowhere(_ path: CodePath) -> Bool { File.statusOfTarget(absolute(path)) == nil }

    /// Returns what is at the path, or nil if nothing is there. Reads a file only if it has the size of one of
    /// `others`. A file that cannot be read is `unknown`.
    func content(of path: CodePath, comparedWith others: [CodeContent] = []) throws -> CodeContent? {
        guard let status = status(path) else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw Problem("read \"\(absolute(path))\"", errno: errno)
        }
        if status.isFolder { return .folder }
        if status.isLink { return .link(target: Array(try File.readLink(absolute(path)).utf8)) }
        guard status.isFile, status.size == 0 || others.contains(where: { $0.size == status.size }) else {
            return .unknown
        }
        guard let sha256 = try? hash(of: path) else { return .unknown }
        return .file(sha256: sha256.description, size: status.size, isExecutable: status.isExecutable)
    }

    private func hash(of path: CodePath) throws(Errno) -> SHA256Digest {
        let file = try Errno.check { open(absolute(path), O_RDONLY | O_NOFOLLOW | O_CLOEXEC) }
        defer { close(file) }
        var hasher = SHA256Hasher()
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        while true {
            let count = try Errno.check { Glibc.read(file, &buffer, buffer.count) }
            if count == 0 { return hasher.finish() }
            buffer.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        }
    }

    func inTheWay(_ what: String, _ path: CodePath) -> Problem {
        Problem(
            "\"\(absolute(path))\" is in the way of what the code brings: it is \(what)",
            hint: "move it, or rename what is in the code")
    }
}
