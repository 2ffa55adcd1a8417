internal import Shared

/// The commit of the packed code, for a training that asks git for it.
///
/// The work tree gets a repository that knows the commit's id and nothing else: `git rev-parse HEAD` answers as on the
/// laptop, and what needs the history fails. Without it git would answer for any repository around the volume.
struct CodeCommit: Sendable, Equatable {
    let id: String

    /// nil unless `id` is a SHA-1 or SHA-256 in hexadecimal.
    init?(_ id: String) {
        let isHexadecimal = id.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }  // 0-9 a-f
        guard isHexadecimal, id.utf8.count == 40 || id.utf8.count == 64 else { return nil }
        self.id = id
    }

    /// The name of the file in `.git` that holds the id, by which the agent knows its own repository.
    private static let mark = "pod-agent-commit"

    /// Makes `work` a repository of this commit. A repository that the training made or changed stays.
    func write(to work: String) throws(Problem) {
        let git = "\(work)/.git"
        if File.status(git) != nil {
            guard let known = try? File.read("\(git)/\(Self.mark)"), known == (try? File.read("\(git)/HEAD")) else {
                return
            }
            if known.text == id + "\n" { return }
        }
        for folder in ["objects", "refs"] { try File.makeFolders("\(git)/\(folder)") }
        try File.write(Array(config.utf8), over: "\(git)/config")
        for file in [Self.mark, "HEAD"] { try File.write(Array("\(id)\n".utf8), over: "\(git)/\(file)") }
    }

    private var config: String {
        id.utf8.count == 40
            ? "[core]\n\trepositoryformatversion = 0\n\tbare = false\n"
            : "[core]\n\trepositoryformatversion = 1\n\tbare = false\n[extensions]\n\tobjectformat = sha256\n"
    }
}

extension CodeCommit {
    /// Variables of git that would lead a child to another repository: a hook of git sets them for what it starts.
    private static let misleading = [
        "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    ]

    /// Returns the variables of a child: git looks for no repository in the folders around `work`.
    static func variables(_ inherited: [String: String], commit: CodeCommit?, around work: String) -> [String: String] {
        var variables = inherited.filter { !misleading.contains($0.key) }
        let ceilings = [work.parentFolder] + [variables["GIT_CEILING_DIRECTORIES"]].compactMap { $0 }
        variables["GIT_CEILING_DIRECTORIES"] = ceilings.joined(separator: ":")
        if let commit { variables["GIT_COMMIT"] = commit.id }
        return variables
    }
}
