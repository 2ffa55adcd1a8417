import Foundation
import Shared
import Testing

@testable import Launcher

/// A run's folder that another version of launch wrote.
@Suite(.timeLimit(.minutes(1))) struct FormatTests {
    private let test: TestWorld
    private let old: RunFixture

    init() throws {
        test = try TestWorld()
        let done = try test.run("done")
        try done.end(try done.claim(), .finished)
        old = try test.run("old")
        let claim = try old.claim()
        try old.end(claim, .finished)
        let text = try JSON.text(claim).replacing("\"format\":\(Claim.format),", with: "")
        try File.replace(old.folder.claimPath(1), with: Array(text.utf8))
        // The old spec lacks what a spec has today.
        try File.replace(old.folder.specFile, with: Array("{}".utf8))
    }

    private var sentence: String {
        """
        launch: "\(old.folder.path)" was written by an older version of launch
        hint: give this run another "run" name, or move that folder away

        """
    }

    @Test("ls names an old run folder and lists the other runs")
    func ls() async throws {
        #expect(try await test.launch("ls") == 69)
        #expect(
            test.output.replacing(test.home, with: "HOME") == """
                RUN   STATE     ATTEMPTS  VOLUME
                done  finished  1         HOME/volume
                old   damaged   ?         HOME/volume

                """)
        #expect(test.errors == sentence)
    }

    @Test("status refuses an old run folder in one sentence", arguments: ["status", "logs", "checkpoints"])
    func status(command: String) async throws {
        #expect(try await test.launch(command, "old") == 69)
        #expect(test.output == "")
        #expect(test.errors == sentence)
    }

    @Test("run starts nothing on an old run folder")
    func run() async throws {
        let path = try test.project("run: old\ncommand: x\n")
        #expect(try await test.launch("run", path) == 69)
        #expect(test.errors == sentence)
        #expect(test.provider.orders.isEmpty)
    }
}
