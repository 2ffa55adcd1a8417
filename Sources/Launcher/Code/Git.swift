internal import Shared
internal import Subprocess

/// The user's git, asked about a folder.
enum Git {
    /// What git says; nil where the folder is in no repository or git is not installed.
    ///
    /// Any other failure throws: a repository that git refuses to read must not be taken for a folder without one,
    /// where what it ignores would be packed too.
    static func ask(_ arguments: [String], in folder: String) async throws -> [UInt8]? {
        let result: ExecutionResult<Void, BytesOutput, StringOutput<UTF8>>
        do {
            result = try await run(
                .name("git"), arguments: Arguments(["-C", folder] + arguments), environment: environment,
                output: .bytes(limit: longestAnswer), error: .string(limit: 1 << 20))
        } catch let error as SubprocessError where error.code == .executableNotFound {
            return nil
        } catch let error as SubprocessError where error.code == .outputLimitExceeded {
            throw Problem("\"\(folder)\" holds too many files to pack")
        }
        if result.terminationStatus.isSuccess { return result.standardOutput }
        if noAnswer.contains(where: result.standardError.contains) { return nil }
        throw Problem("git cannot read \"\(folder)\": \(result.standardError.trimmed)")
    }

    /// In bytes; a name is some 50 of them.
    private static let longestAnswer = 256 << 20

    /// Outside of a repository, and in one without a commit.
    private static let noAnswer = ["not a git repository (or any", "unknown revision", "bad revision"]

    /// In English; without what a git hook sets, which would stand for the folder's own repository.
    private static let environment = Environment.inherit.updating([
        "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0",
        "GIT_DIR": nil, "GIT_WORK_TREE": nil, "GIT_INDEX_FILE": nil, "GIT_PREFIX": nil, "GIT_COMMON_DIR": nil,
        "GIT_OBJECT_DIRECTORY": nil,
    ])
}
