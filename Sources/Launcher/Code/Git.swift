internal import Shared
internal import Subprocess

/// Questions to the user's git about a folder.
///
/// The repository may be a stranger's, and its own configuration can name programs that git runs. Each call overrides
/// that: git starts no program, runs no hook and fetches nothing.
enum Git {
    /// Returns git's answer; nil if the folder is in no repository or git is not installed.
    ///
    /// Throws if git fails otherwise. A repository that git cannot read must not look like a folder without one: then
    /// the files that git ignores would be packed too.
    static func ask(_ arguments: [String], in folder: String) async throws -> [UInt8]? {
        let result: ExecutionResult<Void, BytesOutput, StringOutput<UTF8>>
        do {
            result = try await run(
                .name("git"), arguments: Arguments(safety + ["-C", folder] + arguments), environment: environment,
                output: .bytes(limit: maxAnswer), error: .string(limit: 1 << 20))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            return nil
        } catch let error as SubprocessError where error.code == .outputLimitExceeded {
            throw Problem("\"\(folder)\" holds too many files to pack")
        }
        if result.terminationStatus.isSuccess { return result.standardOutput }
        if noAnswer.contains(where: result.standardError.contains) { return nil }
        throw Problem("git cannot read \"\(folder)\": \(result.standardError.trimmed)")
    }

    /// In bytes, enough for some five million names.
    private static let maxAnswer = 256 << 20

    /// Errors of git outside of a repository, and in a repository without a commit.
    private static let noAnswer = [
        "not a git repository (or any", "unknown revision", "bad revision", "Needed a single revision",
    ]

    /// Overrides what a repository may set, git-config(1). A folder of plain files that looks like a bare repository is
    /// none.
    private static let safety = [
        "core.fsmonitor=false", "core.hooksPath=/dev/null", "core.sshCommand=false", "core.alternateRefsCommand=false",
        "core.untrackedCache=false", "credential.helper=", "safe.bareRepository=explicit", "protocol.allow=never",
    ].flatMap { ["-c", $0] }

    /// Without folders that depend on where `launch` is called: a repository may hold a program that is called git.
    private static let path = (ProcessEnvironment.all["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
        .split(separator: ":").filter { $0.hasPrefix("/") }.joined(separator: ":")

    /// Makes git answer in English. Removes the variables that a git hook sets, which name another repository.
    private static let environment = Environment.inherit.updating([
        "LC_ALL": "C", "PATH": path, "GIT_OPTIONAL_LOCKS": "0",
        // An object that is missing is an error, and no protocol may fetch it, git(1).
        "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "", "GIT_TERMINAL_PROMPT": "0",
        "GIT_DIR": nil, "GIT_WORK_TREE": nil, "GIT_INDEX_FILE": nil, "GIT_PREFIX": nil, "GIT_COMMON_DIR": nil,
        "GIT_OBJECT_DIRECTORY": nil,
    ])
}
