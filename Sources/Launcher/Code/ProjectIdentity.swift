internal import Shared

#if canImport(Glibc)
internal import Glibc
#else
internal import Darwin
#endif

/// Identifies a project, so that another project cannot use its run's name.
///
/// A project has several marks, because ordinary work changes each of them: the root commits of its repository, its
/// folders, and the name that the config gives it. Two projects are the same if they share one mark.
struct ProjectIdentity: Sendable, Equatable {
    private(set) var marks: Set<String>

    /// The marks in order, with blanks between them, as a spec keeps them.
    var text: String { marks.sorted().joined(separator: " ") }

    init(text: String) { marks = Set(text.split(separator: " ").map(String.init)) }

    /// Reads the marks of the project that `config` belongs to.
    init(of config: Config) async throws {
        var folders = [config.folder]
        if case .path(let code, _) = config.code, File.statusOfTarget(code)?.isFolder == true { folders.append(code) }
        try await self.init(folders: folders, name: config.project)
    }

    /// The last of `folders` is the one with the code.
    init(folders: [String], name: String? = nil) async throws {
        marks = Set(try folders.flatMap(Self.marks))
        if let code = folders.last { marks.formUnion(try await Self.gitMarks(of: code)) }
        if let name { marks.insert("name:\(Self.word(name))") }
    }

    func isSame(as other: ProjectIdentity) -> Bool { !marks.isDisjoint(with: other.marks) }

    func joined(with other: ProjectIdentity) -> ProjectIdentity { ProjectIdentity(text: "\(text) \(other.text)") }
}

extension ProjectIdentity {
    /// `git:HASH` for each root commit, of the commit and the folder's path in the repository: equal in every clone.
    /// Empty without a full history.
    private static func gitMarks(of folder: String) async throws -> [String] {
        let place = try await Git.ask(["rev-parse", "--is-shallow-repository", "--show-prefix"], in: folder)
        guard let place, place.prefix(while: { $0 != newline }).text == "false" else { return [] }
        let prefix = place.dropFirst("false\n".utf8.count).dropLast()
        let roots = try await Git.ask(["rev-list", "--max-parents=0", "HEAD"], in: folder)?.split(separator: newline)
        return (roots ?? []).map { "git:\(SHA256Digest(of: Array($0) + [newline] + prefix))" }
    }

    private static let newline = UInt8(ascii: "\n")

    /// The folder's path, and its device and inode on this machine, which it keeps when it is moved.
    private static func marks(of folder: String) throws -> [String] {
        var status = stat()
        guard stat(folder, &status) == 0, let path = File.realPath(folder) else {
            throw Problem("find folder \"\(folder)\"", errno: errno)
        }
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, host.count - 1)
        let name = word(host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }.text)
        return ["folder:\(word(path))", "inode:\(name):\(status.st_dev):\(status.st_ino)"]
    }

    /// The text without blanks.
    private static func word(_ text: String) -> String {
        text.map { $0 == "%" ? "%25" : $0.isWhitespace ? "%20" : String($0) }.joined()
    }
}
