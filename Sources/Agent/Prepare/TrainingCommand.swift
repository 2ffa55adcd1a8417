internal import Shared

/// The training's command line: the config's command with the resume arguments in the place of `{resume}`.
enum TrainingCommand {
    /// `shell` is the shell that a command in string form is for.
    static func arguments(of spec: RunSpec, resumingFrom checkpoint: String?, shell: Shell) -> [String] {
        let resume = checkpoint.map { resumeArguments(spec.resume, checkpoint: $0) } ?? []
        switch spec.command {
        case .shell(let text):
            let quoted = resume.map(quote).joined(separator: " ")
            return shell.arguments(text.replacing("{resume}", with: quoted))
        case .exec(let words):
            return words.flatMap { $0 == "{resume}" ? resume : [$0] }
        }
    }

    private static func resumeArguments(_ form: CommandForm?, checkpoint: String) -> [String] {
        switch form {
        case nil: []
        case .shell(let text): text.split(whereSeparator: \.isWhitespace).map { fill(String($0), checkpoint) }
        case .exec(let words): words.map { fill($0, checkpoint) }
        }
    }

    private static func fill(_ word: String, _ checkpoint: String) -> String {
        word.replacing("{checkpoint}", with: checkpoint)
    }

    /// As one word for a POSIX shell.
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

        /// bash where `path` (as in PATH) has it: there a pipeline fails when any of its commands does.
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
