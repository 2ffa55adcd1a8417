import ArgumentParser
import Foundation
import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Launcher

/// Whole commands in this process, from the command line to their output.
@Suite(.timeLimit(.minutes(1))) struct CommandTests {
    private let test: TestWorld

    init() throws { test = try TestWorld() }

    /// Makes the run "done", which has finished, and the run "lost", which is lost.
    private func twoRuns() throws {
        let done = try test.run("done")
        try done.log("hello\n")
        try done.log("again\n\u{1b}[0m", from: 6, attempt: 2)
        try done.end(try done.claim(1), Outcome(.stopped))
        try done.end(try done.claim(2, launch: "launch-2", logStart: 6), .finished)
        try test.run("lost").record(try test.run("lost").claim(process: .dead()))
    }

    @Test("launch ls lists all runs with their state")
    func ls() async throws {
        try twoRuns()
        #expect(try await test.launch("ls") == 0)
        #expect(
            test.output.replacing(test.home, with: "HOME") == """
                RUN   STATE     ATTEMPTS  VOLUME
                done  finished  2         HOME/volume
                lost  lost      1         HOME/volume

                """)
        #expect(test.errors == "")
    }

    @Test("launch ls --json prints all runs as a list")
    func lsJSON() async throws {
        try twoRuns()
        #expect(try await test.launch("ls", "--json") == 0)
        let list = try JSONSerialization.jsonObject(with: Data(test.recording.bytes)) as? [[String: Any]]
        #expect(list?.map { $0["state"] as? String } == ["finished", "lost"])
        #expect(test.output.hasSuffix("]\n"))
    }

    @Test("launch ls names a damaged file, lists all runs and exits with 69", arguments: ["0001.claim", "0001.json"])
    func lsDamaged(file: String) async throws {
        try twoRuns()
        let bad = try test.run("bad")
        try bad.record(try bad.claim())
        try File.write(Array("{".utf8), over: "\(bad.folder.attempts)/\(file)")
        #expect(try await test.launch("ls") == 69)
        #expect(
            test.output.replacing(test.home, with: "HOME") == """
                RUN   STATE     ATTEMPTS  VOLUME
                bad   damaged   ?         HOME/volume
                done  finished  2         HOME/volume
                lost  lost      1         HOME/volume

                """)
        #expect(test.errors.hasPrefix("launch: \"\(bad.folder.attempts)/\(file)\" is damaged: "))
        #expect(try await test.launch("status", "done") == 0)
        #expect(try await test.launch("status", "bad") == 69)
    }

    @Test("launch ls prints nothing if there are no runs, and with --json an empty list")
    func lsEmpty() async throws {
        #expect(try await test.launch("ls") == 0)
        #expect(test.output == "" && test.errors == "")
        #expect(try await test.launch("ls", "--json") == 0)
        #expect(try JSON.decode([Int].self, from: test.recording.bytes) == [])
    }

    @Test("launch logs prints the whole log")
    func logs() async throws {
        try twoRuns()
        #expect(try await test.launch("logs", "done") == 0)
        #expect(test.output == "hello\nagain\n\u{1b}[0m")
        #expect(test.errors == "")
    }

    @Test(
        "launch logs --tail prints the last lines of the log",
        arguments: [("1", "\u{1b}[0m"), ("2", "again\n\u{1b}[0m"), ("9", "hello\nagain\n\u{1b}[0m"), ("0", "")])
    func logsTail(lines: String, expected: String) async throws {
        try twoRuns()
        #expect(try await test.launch("logs", "done", "--tail", lines) == 0)
        #expect(test.output == expected)
    }

    /// The index has entries of two hours, one hour and a minute ago, the last one in the middle of a line.
    @Test(
        "launch logs --since prints the log from that time on, in whole lines",
        arguments: [
            (["--since", "3h"], "old\nolder\nnew line\n"), (["--since", "90m"], "old\nolder\nnew line\n"),
            (["--since", "10m"], "older\nnew line\n"), (["--since", "30s"], "new line\n"),
            (["--since", "3h", "--tail", "1"], "new line\n"), (["--since", "30s", "--tail", "2"], "new line\n"),
        ])
    func logsSince(arguments: [String], expected: String) async throws {
        let run = try test.run()
        try run.log("old\nolder\nnew line\n")
        try run.end(try run.claim(), .finished)
        let now = Int(Date().timeIntervalSince1970)
        let entries = [(now - 7200, 0), (now - 3600, 4), (now - 60, 14)]
        try File.write(
            entries.flatMap { LogIndex.Entry(time: $0.0, offset: $0.1).line },
            over: run.folder.logIndexPath(from: 0, attempt: 1))
        let command = try #require(try Launcher.parseAsRoot(["logs"] + arguments) as? Logs)
        try await command.run(in: test.world)
        #expect(test.output == expected)
        #expect(test.errors == "")
    }

    @Test("launch logs -o writes the log to a file and refuses a file with other bytes")
    func logsToFile() async throws {
        try twoRuns()
        let path = "\(test.home)/file"
        for _ in 0..<2 {
            #expect(try await test.launch("logs", "done", "-o", path) == 0)
            #expect(try File.read(path).text == "hello\nagain\n\u{1b}[0m")
        }
        try File.write(Array("hallo".utf8), over: path)
        #expect(try await test.launch("logs", "done", "-o", path) == 74)
        #expect(test.errors.hasPrefix("launch: \"\(path)\" is not a beginning of this log: byte 1 differs\nhint: "))
        #expect(test.output == "")
    }

    @Test("launch logs prints a log without its removed beginning, and -o refuses such a log")
    func logsWithoutBeginning() async throws {
        try twoRuns()
        try File.remove(try test.run("done").folder.liveSegmentPath(from: 0, attempt: 1))
        #expect(try await test.launch("logs", "done") == 0)
        #expect(test.output == "again\n\u{1b}[0m")
        #expect(
            test.errors == "launch: bytes 0 to 5 of the log are not kept any more; it continues at byte 6\n")
        #expect(try await test.launch("logs", "done", "-o", "\(test.home)/file") == 74)
        #expect(test.errors.contains("so \"\(test.home)/file\" cannot be continued\nhint: "))
    }

    @Test("launch logs -f prints the log of an ended run and returns")
    func logsOfEndedRun() async throws {
        try twoRuns()
        #expect(try await test.launch("logs", "done", "-f") == 0)
        #expect(test.output == "hello\nagain\n\u{1b}[0m")
        #expect(test.errors == "")
    }

    @Test("launch logs prints a log of 1.5 MB byte for byte")
    func longLogs() async throws {
        let run = try test.run()
        try run.claim()
        let log = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        for segment in 0..<5 { try run.log(log, from: segment * log.count, attempt: 1) }
        #expect(try await test.launch("logs") == 0)
        #expect(test.recording.bytes == log + log + log + log + log)
    }

    @Test("launch status shows a run's state, attempts and exit code")
    func status() async throws {
        try twoRuns()
        #expect(try await test.launch("status", "done") == 0)
        #expect(test.output.hasPrefix("run        done\nstate      finished\nattempt    2\nexit code  0\n"))
    }

    @Test("launch status --json prints a run with its attempts")
    func statusJSON() async throws {
        try twoRuns()
        #expect(try await test.launch("status", "done", "--json") == 0)
        let report = try JSONSerialization.jsonObject(with: Data(test.recording.bytes)) as? [String: Any]
        #expect(report?["run"] as? String == "done")
        #expect(report?["logEnd"] as? Int == 16)
        #expect((report?["attempts"] as? [Any])?.count == 2)
    }

    @Test(
        "a command with an unknown run exits with 64 and lists the runs",
        arguments: ["status", "logs", "stop", "attach"])
    func unknownRun(command: String) async throws {
        try twoRuns()
        #expect(try await test.launch(command, "nothing") == 64)
        #expect(test.errors == "launch: there is no run \"nothing\"\nhint: the runs are: done, lost\n")
        #expect(test.output == "")
    }

    @Test("launch stop does nothing if the run has ended, and says so")
    func stopEnded() async throws {
        try twoRuns()
        #expect(try await test.launch("stop", "done") == 0)
        #expect(test.errors == "launch: \"done\" is not running: finished\n")
    }

    /// Such an agent has started nothing yet that could be saved.
    @Test("launch stop ends the pod itself if its agent has no address yet")
    func stopWithoutAddress() async throws {
        let run = try test.run()
        test.provider.add(.made(run: run, address: nil))
        #expect(try await test.launch("stop") == 0)
        #expect(test.provider.interrupted == ["pod-1"])
    }

    @Test("launch attach prints the end of an ended run's log and exits with the run's code")
    func attachEnded() async throws {
        try twoRuns()
        #expect(try await test.launch("attach", "done") == 0)
        #expect(test.output == "hello\nagain\n\u{1b}[0m")
        #expect(test.errors.hasPrefix("launch: \"done\" has no pod; its log ends with:\n\n== done: finished"))
        #expect(try await test.launch("attach", "lost") == 70)
    }

    /// The log has thirty lines and a progress bar. The output is a terminal, a pipe and a file.
    @Test(
        "launch attach begins with a screenful of the log, and with --from-start at its beginning",
        arguments: [
            (Console.Target.terminal(lines: 5), "28\n29\n30\n 2%"),
            (.stream, (8...30).map { "\($0)\n" }.joined() + " 2%"),
            (.file, (8...30).map { "\($0)\n" }.joined() + " 1%\r 2%"),
        ])
    func attachScreen(target: Console.Target, expected: String) async throws {
        let run = try test.run()
        try run.log((1...30).map { "\($0)\n" }.joined() + " 1%\r 2%")
        try run.end(try run.claim(), .finished)
        var world = test.world
        world.console.target = target
        let command = try #require(try Launcher.parseAsRoot(["attach"]) as? Attach)
        await #expect(throws: ExitCode.success) { try await command.run(in: world) }
        #expect(test.output == expected)
        let whole = try #require(try Launcher.parseAsRoot(["attach", "--from-start"]) as? Attach)
        await #expect(throws: ExitCode.success) { try await whole.run(in: world) }
        let all = (1...30).map { "\($0)\n" }.joined() + (target == .stream ? " 2%" : " 1%\r 2%")
        #expect(test.output == expected + all)
    }

    @Test("launch run exits with 78 if the config is wrong or missing")
    func wrongConfig() async throws {
        let config = try test.project("run: demo\ncommand: x\nworkdri: y\n")
        #expect(try await test.launch("run", config) == 78)
        #expect(test.errors.hasPrefix("launch: \(config):3:1: "))
        #expect(try await test.launch("run", "\(test.home)/nothing.yaml") == 78)
    }

    @Test("launch run --dry-run prints the provider's request and creates no pod")
    func dryRun() async throws {
        let config = try test.project("run: demo\ncommand: python train.py\n")
        #expect(try await test.launch("run", config, "--dry-run") == 0)
        #expect(test.output.hasSuffix("request to provider \"local\":\ncreate demo\n"))
        #expect(test.provider.orders.isEmpty)
    }
}
