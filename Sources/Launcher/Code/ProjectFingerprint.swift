internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Identifies a project, so that another project cannot use its run's name.
enum ProjectFingerprint {
    /// Returns `git:HASH`, of the repository's root commits and the folder's path in it: equal in every clone.
    /// Without a full history it is `folder:PATH`.
    static func of(folder: String) async throws -> String {
        if let place = try await Git.ask(["rev-parse", "--is-shallow-repository", "--show-prefix"], in: folder) {
            let isShallow = place.prefix { $0 != newline }.text
            let prefix = place.dropFirst(isShallow.utf8.count + 1).dropLast()
            if isShallow == "false", let roots = try await roots(in: folder) {
                return "git:\(SHA256Digest(of: Array(roots.joined(separator: "\n").utf8) + [newline] + prefix))"
            }
        }
        return "folder:\(try realPath(folder))"
    }

    private static let newline = UInt8(ascii: "\n")

    /// The hashes of the root commits; nil before the first commit.
    private static func roots(in folder: String) async throws -> [String]? {
        try await Git.ask(["rev-list", "--max-parents=0", "HEAD"], in: folder)?
            .split(separator: newline).map(\.text).sorted()
    }

    private static func realPath(_ folder: String) throws(Problem) -> String {
        guard let path = realpath(folder, nil) else { throw Problem("find folder \"\(folder)\"", errno: errno) }
        defer { free(path) }
        return String(cString: path)
    }
}
