internal import Shared

/// The training's command line: the config's command with the arguments of `resume`, or of `fresh` without a
/// checkpoint, in the place of `{resume}`.
enum TrainingCommand {
    /// `shell` runs a command in string form.
    static func arguments(of spec: RunSpec, resumingFrom checkpoint: String?, shell: Shell) -> [String] {
        switch spec.command {
        case .shell(let text):
            let resume =
                checkpoint.map { Self.text(of: spec.resume, checkpoint: $0) }
                ?? Self.text(of: spec.fresh, checkpoint: "")
            return shell.arguments(text.replacing("{resume}", with: resume))
        case .exec(let words):
            let resume =
                checkpoint.map { Self.words(of: spec.resume, checkpoint: $0) }
                ?? Self.words(of: spec.fresh, checkpoint: "")
            return words.flatMap { $0 == "{resume}" ? resume : [$0] }
        }
    }

    /// Bytes of the longest argument that execve(2) takes, `MAX_ARG_STRLEN` without the zero at the end.
    private static let maxArgument = 32 * 4096 - 1

    /// Returns the arguments of a shell so that the system takes them: a script that is too long goes to the file at
    /// `path`, and the shell reads it there.
    static func storingLongScript(_ arguments: [String], at path: String) throws -> [String] {
        guard let script = arguments.last, script.utf8.count > maxArgument, arguments.dropLast().last == "-c" else {
            return arguments
        }
        try File.replace(path, with: Array(script.utf8))
        return arguments.dropLast() + [". \(quote(path))"]
    }

    /// Returns the resume arguments as shell text. In a string of the user only the checkpoint's path is quoted, as its
    /// place needs it.
    private static func text(of resume: CommandForm?, checkpoint: String) -> String {
        switch resume {
        case nil: ""
        case .shell(let text): ShellText(text).replacing("{checkpoint}", with: checkpoint)
        case .exec: words(of: resume, checkpoint: checkpoint).map(quote).joined(separator: " ")
        }
    }

    /// Returns the resume arguments for a command without a shell.
    private static func words(of resume: CommandForm?, checkpoint: String) -> [String] {
        let words =
            switch resume {
            case nil: [String]()
            case .shell(let text): text.split(whereSeparator: \.isWhitespace).map(String.init)
            case .exec(let words): words
            }
        return words.map { $0.replacing("{checkpoint}", with: checkpoint) }
    }

    /// Quotes a text as one word for a POSIX shell.
    static func quote(_ word: String) -> String {
        let plain = word.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "/"), UInt8(ascii: "="), UInt8(ascii: ":"), UInt8(ascii: ","):
                true
            default: false
            }
        }
        return plain && !word.isEmpty ? word : "'" + word.replacing("'", with: "'\\''") + "'"
    }

    enum Shell: Sendable {
        case bash
        case sh

        /// Returns bash if it is in `path` (a value of PATH), else sh. In bash a pipeline fails when any of its
        /// commands does.
        static func available(path: String?) -> Shell {
            (try? Job.find("bash", path: path)) == nil ? .sh : .bash
        }

        func arguments(_ script: String) -> [String] {
            switch self {
            case .bash: ["bash", "-o", "pipefail", "-c", script]
            case .sh: ["sh", "-c", script]
            }
        }
    }
}
