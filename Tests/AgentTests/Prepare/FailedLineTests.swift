import Shared
import TestSupport
import Testing

@testable import Agent

/// Shell texts in a real bash that reads the agent's file first.
@Suite struct FailedLineTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder("failed-line") }

    private func run(
        _ script: String, variables: [String: String] = [:]
    ) async throws -> (found: FailedLine.Found?, status: Shared.ExitStatus, output: String) {
        let variables = ["PATH": "/usr/bin:/bin", "TMPDIR": folder.path].merging(variables) { $1 }
        let line = FailedLine(script: script, variables: variables, run: .placeholder)
        let (status, output) = try await SpawningRunner(output: "\(folder.path)/output").capture(
            TrainingCommand.Shell.bash.arguments(script),
            environment: variables.merging(line?.variables ?? [:]) { $1 }, folder: folder.path)
        return (line?.take(), status, output.text)
    }

    @Test(
        "the first line that failed is found although the last one did not fail",
        arguments: [
            ("cd /nowhere\ntrue", 1, "cd /nowhere", 1), ("true\n  (exit 7) \n(exit 8)\ntrue", 2, "(exit 7)", 7),
            ("true \\\n  && false | cat\ntrue", 2, "&& false | cat", 1), ("x=$(exit 3)\ntrue", 1, "x=$(exit 3)", 3),
            ("for i in 1 2; do\n (exit 4)\ndone\ntrue", 2, "(exit 4)", 4),
            ("false\nexec true", 1, "false", 1), ("bash -c 'false; exit 6'\ntrue", 1, "bash -c 'false; exit 6'", 6),
        ])
    func found(_ script: String, _ number: Int, _ text: String, _ code: Int) async throws {
        let (found, status, _) = try await run(script)
        #expect(found == FailedLine.Found(number: number, text: text, code: code))
        #expect(status == .code(0))
        #expect(try File.list(folder.path).filter { $0.hasPrefix("pod-agent") } == [])
    }

    @Test(
        "conditions, shells below and the user's own trap report nothing",
        arguments: [
            "true\ntrue", "if false; then\ntrue\nfi\ntrue", "false || true\ntrue", "! true\ntrue",
            "bash -c 'false; true'\ntrue", "trap 'true' ERR\nfalse\ntrue",
        ])
    func notFound(_ script: String) async throws {
        let (found, status, _) = try await run(script)
        #expect(found == nil && status == .code(0))
    }

    @Test(
        "a text with one command line gets no trap", arguments: ["python train.py \\\n  --lr 1\n", "# why\n\ntrue\n"])
    func oneLine(_ script: String) {
        #expect(FailedLine(script: script, variables: ["TMPDIR": folder.path], run: .placeholder) == nil)
    }

    @Test("the user's own file for bash is read, also by the shells below")
    func usersFile() async throws {
        let file = "\(folder.path)/it's mine.sh"
        try File.write(Array("echo read".utf8), over: file)
        let (found, _, output) = try await run(
            "echo \"$BASH_ENV\"\nbash -c true\nfalse\ntrue", variables: ["BASH_ENV": file])
        #expect(output == "read\n\(file)\nread\n")
        #expect(found?.number == 3)
    }

    @Test("the shells of a training see no variable of the trap")
    func noVariable() async throws {
        #expect(try await run("true\nenv | grep BASH_ENV").output == "")
    }
}
