import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct TrainingCommandTests {
    private func arguments(
        _ command: CommandForm, resume: CommandForm? = .shell("--resume {checkpoint}"), from checkpoint: String?,
        shell: TrainingCommand.Shell = .sh
    ) throws -> [String] {
        let spec = try RunSpec.plain(command: command, resume: resume)
        return TrainingCommand.arguments(of: spec, resumingFrom: checkpoint, shell: shell)
    }

    @Test("a command that is a list is executed as it is, but for the element {resume}")
    func list() throws {
        let command = CommandForm.exec(["python", "a b", "{resume}", "x{resume}", "{checkpoint}", "$HOME", ""])
        #expect(
            try arguments(command, from: nil) == ["python", "a b", "x{resume}", "{checkpoint}", "$HOME", ""])
        #expect(
            try arguments(command, from: "/v/c 1")
                == ["python", "a b", "--resume", "/v/c 1", "x{resume}", "{checkpoint}", "$HOME", ""])
    }

    /// A string is the user's own shell text, so only the path is quoted.
    @Test(
        "the resume arguments become words of a list, or shell text with the path quoted",
        arguments: [
            (CommandForm.shell("--resume {checkpoint}"), ["--resume", "/v/c 1"], "--resume '/v/c 1'"),
            (
                .shell("--name \"a b\" --from={checkpoint}"), ["--name", "\"a", "b\"", "--from=/v/c 1"],
                "--name \"a b\" --from='/v/c 1'"
            ),
            (
                .exec(["--resume from", "{checkpoint}/model"]), ["--resume from", "/v/c 1/model"],
                "'--resume from' '/v/c 1/model'"
            ),
        ])
    func formsOfResume(_ resume: CommandForm, _ words: [String], _ text: String) throws {
        #expect(try arguments(.exec(["t", "{resume}"]), resume: resume, from: "/v/c 1") == ["t"] + words)
        #expect(try arguments(.shell("t {resume}"), resume: resume, from: "/v/c 1").last == "t " + text)
    }

    @Test("{resume} becomes nothing without resume arguments or a checkpoint")
    func nothingToResume() throws {
        #expect(try arguments(.exec(["t", "{resume}"]), resume: nil, from: "/v/c") == ["t"])
        #expect(try arguments(.shell("t {resume} -x"), resume: nil, from: "/v/c").last == "t  -x")
        #expect(try arguments(.shell("t {resume} -x"), from: nil).last == "t  -x")
    }

    @Test("other braces in a command stay as they are")
    func otherBraces() throws {
        let text = #"t {a,b} ${HOME} {"lr": {"x": 1}} {checkpoint} {} { resume } {Resume}"#
        #expect(try arguments(.shell(text), from: "/v/c").last == text)
        #expect(try arguments(.shell(text), from: nil).last == text)
    }

    @Test("a command that is a string runs in bash with pipefail, or in sh if there is no bash")
    func shells() throws {
        #expect(try arguments(.shell("a | b"), from: nil, shell: .sh) == ["sh", "-c", "a | b"])
        #expect(
            try arguments(.shell("a | b"), from: nil, shell: .bash) == ["bash", "-o", "pipefail", "-c", "a | b"])
        let folder = try TemporaryFolder()
        #expect(TrainingCommand.Shell.available(path: folder.path) == .sh)
        try File.replace("\(folder.path)/bash", with: [], mode: 0o755)
        #expect(TrainingCommand.Shell.available(path: "/none:\(folder.path)") == .bash)
    }

    private static let nasty = [
        "/v/plain-1.0_x=y:z,ü", "/v/a b", "/v/it's", "'", "''", #"a"b"#, "$HOME", "`id`", "$(id)", #"back\slash\"#,
        "a\nb", "a\tb", "*", "?", "~", "a;b", "a&b", "a|b", "a>b", "#a", "!x", "{a,b}", "训练 ü", "-n", "", " ",
    ]

    @Test("quoted words reach the programs of sh and bash unchanged")
    func quoting() throws {
        let script = "printf '%s\\0' " + Self.nasty.map(TrainingCommand.quote).joined(separator: " ")
        for shell in ["sh", "bash"] {
            let (code, output) = try Command.run([shell, "-c", script])
            #expect(code == 0)
            #expect(output.text == Self.nasty.map { $0 + "\0" }.joined())
        }
        #expect(TrainingCommand.quote("/v/plain-1.0_x=y:z,w") == "/v/plain-1.0_x=y:z,w")
    }

    @Test(
        "the path of the checkpoint is right inside of the user's own quotes", arguments: nasty.filter { !$0.isEmpty })
    func insideQuotes(_ checkpoint: String) throws {
        let resume = CommandForm.shell(
            #"--a "{checkpoint}" '{checkpoint}' "x{checkpoint}\"y" \'{checkpoint} "'"{checkpoint}"#)
        let command = "printf '%s\\0' {resume}"
        for shell in [TrainingCommand.Shell.sh, .bash] {
            let words = try arguments(.shell(command), resume: resume, from: checkpoint, shell: shell)
            let (code, output) = try Command.run(words)
            #expect(code == 0)
            let expected = ["--a", checkpoint, checkpoint, "x\(checkpoint)\"y", "'\(checkpoint)", "'\(checkpoint)"]
            #expect(output.text == expected.map { $0 + "\0" }.joined())
        }
    }

    @Test("the path of the checkpoint reaches the program as one word", arguments: nasty.filter { !$0.isEmpty })
    func oneWord(_ checkpoint: String) throws {
        let command = "printf '%s\\0' first {resume} last"
        let (code, output) = try Command.run(try arguments(.shell(command), from: checkpoint))
        #expect(code == 0)
        #expect(output.text == "first\0--resume\0\(checkpoint)\0last\0")
    }

    @Test("a script that is too long for an argument goes to a file, others stay")
    func longScript() throws {
        let folder = try TemporaryFolder("it's")
        let path = "\(folder.path)/command.sh"
        let short = ["sh", "-c", String(repeating: "x", count: 131_071)]
        #expect(try TrainingCommand.storingLongScript(short, at: path) == short)
        let long = ["sh", "-c", String(repeating: "x", count: 131_072)]
        let stored = try TrainingCommand.storingLongScript(long, at: path)
        #expect(stored == ["sh", "-c", ". \(TrainingCommand.quote(path))"])
        #expect(try File.read(path).text == long[2])
    }
}
