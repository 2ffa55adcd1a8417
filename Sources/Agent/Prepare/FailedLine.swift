internal import Glibc
internal import Shared

/// Watches which line of a shell text fails first. A shell carries on with the next line, so a text can end well
/// although a line of it failed.
///
/// Before the text, bash reads a file of the agent that sets a trap for failed commands. The text stays as it is.
struct FailedLine: Sendable {
    /// A line of the text, counted from 1, and its exit code.
    struct Found: Sendable, Equatable {
        var number: Int
        var text: String
        var code: Int
    }

    private let script: String
    /// On the pod's own disk.
    private let folder: String

    /// bash reads the file that this variable names, bash(1).
    private static let variable = "BASH_ENV"

    /// The longest part of a line that is shown, in characters.
    private static let maxLength = 100

    /// Prepares the trap for a text that bash runs as a child of this process. nil if the text has only one line, or if
    /// the pod's disk takes no file.
    init?(script: String, variables: [String: String], run: RunID) {
        guard Self.hasSeveralLines(script), let folder = Scratch.make(for: run, variables: variables) else {
            return nil
        }
        self.script = script
        self.folder = folder
        do {
            try File.write(Array(trap(after: variables[Self.variable]).utf8), over: trapFile)
        } catch {
            try? File.removeTree(folder)
            return nil
        }
    }

    private var trapFile: String { "\(folder)/trap.sh" }
    private var resultFile: String { "\(folder)/failed" }

    /// The variables for bash.
    var variables: [String: String] { [Self.variable: trapFile] }

    /// Returns the first line that failed; nil if none did. Call it once, after the end of bash.
    func take() -> Found? {
        defer { try? File.removeTree(folder) }
        let words = ((try? File.read(resultFile)) ?? []).text.trimmed.split(separator: " ").compactMap { Int($0) }
        let lines = script.split(separator: "\n", omittingEmptySubsequences: false)
        guard words.count == 2, lines.indices.contains(words[0] - 1) else { return nil }
        return Found(
            number: words[0], text: String(lines[words[0] - 1].trimmed.prefix(Self.maxLength)), code: words[1])
    }

    /// Only the shell that this process starts gets the trap: the shells below it read the user's own file. The first
    /// failed line decides, because others may fail as a consequence.
    private func trap(after user: String?) -> String {
        let result = TrainingCommand.quote(resultFile).replacing("'", with: "'\\''")
        let users = user.map { file in
            "export \(Self.variable)=\(TrainingCommand.quote(file))\n[ -r \"$BASH_ENV\" ] && . \"$BASH_ENV\"\n"
        }
        return """
            unset \(Self.variable)
            \(users ?? "")if [ "$PPID" = \(getpid()) ]; then
                trap 'echo "$LINENO $?" >\(result); trap - ERR' ERR
            fi

            """
    }

    /// Whether the text has more than one command line. A backslash at the end of a line continues it.
    private static func hasSeveralLines(_ script: String) -> Bool {
        let lines = script.replacing("\\\n", with: " ").split(separator: "\n").map(\.trimmed)
        return lines.count { !$0.isEmpty && !$0.hasPrefix("#") } > 1
    }
}
