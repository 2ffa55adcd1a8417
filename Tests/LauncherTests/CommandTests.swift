import Foundation
import HTTPClient
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Launcher

/// Whole commands in this process, from the command line to what they print.
@Suite(.timeLimit(.minutes(1))) struct CommandTests {
    private let test: TestWorld

    init() throws { test = try TestWorld() }

    /// "done" has finished, "lost" is lost.
    private func twoRuns() throws {
        let done = try test.run("done")
        try done.log("hello\n")
        try done.log("again\n\u{1b}[0m", from: 6, attempt: 2)
        try done.end(try done.claim(1), Outcome(.stopped))
        try done.end(try done.claim(2, launch: "launch-2", logBegan: 6), .finished)
        try test.run("lost").record(try test.run("lost").claim())
    }

    @Test func ls() async throws {
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

    @Test func lsAsJSON() async throws {
        try twoRuns()
        #expect(try await test.launch("ls", "--json") == 0)
        let list = try JSONSerialization.jsonObject(with: Data(test.recording.bytes)) as? [[String: Any]]
        #expect(list?.map { $0["state"] as? String } == ["finished", "lost"])
        #expect(test.output.hasSuffix("]\n"))
    }

    /// What is damaged is named, and the other runs are listed all the same.
    @Test(arguments: ["0001.claim", "0001.json"]) func lsWithADamagedRun(file: String) async throws {
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

    @Test func lsOfNothing() async throws {
        #expect(try await test.launch("ls") == 0)
        #expect(test.output == "" && test.errors == "")
        #expect(try await test.launch("ls", "--json") == 0)
        #expect(try JSON.decode([Int].self, from: test.recording.bytes) == [])
    }

    @Test func logs() async throws {
        try twoRuns()
        #expect(try await test.launch("logs", "done") == 0)
        #expect(test.output == "hello\nagain\n\u{1b}[0m")
        #expect(test.errors == "")
    }

    @Test func logsOfMoreThanAMegabyte() async throws {
        let run = try test.run()
        try run.claim()
        let log = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }
        for segment in 0..<5 { try run.log(log, from: segment * log.count, attempt: 1) }
        #expect(try await test.launch("logs") == 0)
        #expect(test.recording.bytes == log + log + log + log + log)
    }

    @Test func status() async throws {
        try twoRuns()
        #expect(try await test.launch("status", "done") == 0)
        #expect(test.output.hasPrefix("run        done\nstate      finished\nattempt    2\nexit code  0\n"))
    }

    @Test func statusAsJSON() async throws {
        try twoRuns()
        #expect(try await test.launch("status", "done", "--json") == 0)
        let report = try JSONSerialization.jsonObject(with: Data(test.recording.bytes)) as? [String: Any]
        #expect(report?["run"] as? String == "done")
        #expect(report?["logEnd"] as? Int == 16)
        #expect((report?["attempts"] as? [Any])?.count == 2)
    }

    @Test(arguments: ["status", "logs", "stop", "attach"]) func aRunThatIsNotThere(command: String) async throws {
        try twoRuns()
        #expect(try await test.launch(command, "nothing") == 64)
        #expect(test.errors == "launch: there is no run \"nothing\"\nhint: the runs are: done, lost\n")
        #expect(test.output == "")
    }

    @Test func stopOfWhatDoesNotRun() async throws {
        try twoRuns()
        #expect(try await test.launch("stop", "done") == 0)
        #expect(test.errors == "launch: \"done\" is not running: finished\n")
    }

    /// Its agent owns nothing that could be saved yet: the pod itself is ended.
    @Test func stopOfAPodWithoutAddress() async throws {
        let run = try test.run()
        test.provider.add(.made(run: run, address: nil))
        #expect(try await test.launch("stop") == 0)
        #expect(test.provider.terminated == ["pod-1"])
    }

    @Test func attachToWhatHasEnded() async throws {
        try twoRuns()
        #expect(try await test.launch("attach", "done") == 0)
        #expect(test.output == "hello\nagain\n\u{1b}[0m")
        #expect(test.errors.hasPrefix("launch: \"done\" has no pod; its log ends with:\n\n== done: finished"))
        #expect(try await test.launch("attach", "lost") == 70)
    }

    @Test func runOfAWrongConfig() async throws {
        let config = try test.project("run: demo\ncommand: x\nworkdri: y\n")
        #expect(try await test.launch("run", config) == 78)
        #expect(test.errors.hasPrefix("launch: \(config):3:1: "))
        #expect(try await test.launch("run", "\(test.home)/nothing.yaml") == 78)
    }

    @Test func dryRun() async throws {
        let config = try test.project("run: demo\ncommand: python train.py\n")
        #expect(try await test.launch("run", config, "--dry-run") == 0)
        #expect(test.output.hasSuffix("request to provider \"local\":\ncreate demo\n"))
        #expect(test.provider.orders.isEmpty)
    }
}
