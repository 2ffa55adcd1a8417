import Glibc
import Shared
import Testing

@testable import Agent

@Suite struct CheckpointFolderTests {
    @Test(arguments: [
        ("checkpoint-1000", 1000), ("step=0042.ckpt", 42), ("epoch=3-step=900.ckpt", 900), ("model_00010.pt", 10),
        ("last.ckpt", nil), ("", nil), ("7", 7), ("v2-step-5-final", 5), ("checkpoint-10.tmp", 10),
        ("checkpoint-99999999999999999999", nil), ("checkpoint-٣", nil), ("a-1-", 1),
    ])
    func step(_ name: String, _ step: Int?) {
        #expect(CheckpointFolder.step(in: name) == step)
    }

    private func names(_ pattern: String, _ made: [String]) throws -> [String] {
        let run = try TestRun()
        for name in made { try run.checkpoint(name) }
        return try CheckpointFolder(path: "\(run.folders.work)/out", pattern: pattern).candidates().map(\.name)
    }

    @Test(arguments: [
        ("checkpoint-*", ["checkpoint-1", "checkpoint-2"]), ("*", ["checkpoint-1", "checkpoint-2", "step-3"]),
        ("checkpoint-[0-1]", ["checkpoint-1"]), ("step-?", ["step-3"]), (".hidden-*", [".hidden-4"]),
        ("none*", []), ("checkpoint-1", ["checkpoint-1"]),
    ])
    func patterns(_ pattern: String, _ found: [String]) throws {
        #expect(try names(pattern, ["checkpoint-1", "checkpoint-2", "step-3", ".hidden-4", "best"]) == found)
    }

    @Test func theNewestHasTheHighestStepNotTheLastName() throws {
        let run = try TestRun()
        for step in [900, 1000, 20] { try run.checkpoint("checkpoint-\(step)") }
        let folder = try #require(CheckpointFolder(of: run.spec(), in: run.folders))
        let newest = try folder.newest(in: .first)
        #expect(newest == CheckpointReference(step: 1000, path: "\(run.folders.work)/out/checkpoint-1000"))
    }

    @Test func whatIsEmptyIsNone() throws {
        let run = try TestRun()
        let folder = try #require(CheckpointFolder(of: run.spec(), in: run.folders))
        #expect(try folder.candidates() == [])
        #expect(try folder.newest(in: .first) == nil)
        try run.checkpoint("checkpoint-1", [:])
        try File.makeFolders("\(folder.path)/checkpoint-2/deep/er")
        #expect(try folder.candidates() == [])
    }

    @Test func filesByTheirPathInside() throws {
        let run = try TestRun()
        try run.checkpoint("checkpoint-1", ["a": "1"])
        try run.checkpoint("checkpoint-1/deep/er", ["b": "22"])
        let folder = try #require(CheckpointFolder(of: run.spec(), in: run.folders))
        try File.write(Array("333".utf8), over: "\(folder.path)/checkpoint-2")
        symlink("/nowhere", "\(folder.path)/checkpoint-1/link")
        let found = try folder.candidates()
        #expect(found.map { $0.files.mapValues(\.size) } == [["a": 1, "deep/er/b": 2, "link": 8], ["": 3]])
        #expect(found.map(\.step) == [1, 2])
    }

    @Test func whereItIs() throws {
        let run = try TestRun()
        #expect(CheckpointFolder(of: run.spec(checkpoints: nil), in: run.folders) == nil)
        let inside = CheckpointFolder(of: run.spec(workdir: "sub"), in: run.folders)
        #expect(inside?.path == "\(run.folders.work)/sub/out")
        let absolute = CheckpointFolder(of: run.spec(workdir: "/v/elsewhere"), in: run.folders)
        #expect(absolute?.path == "/v/elsewhere/out")
    }
}
