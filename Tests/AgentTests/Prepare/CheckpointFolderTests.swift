import Glibc
import Shared
import Testing

@testable import Agent

@Suite struct CheckpointFolderTests {
    @Test(
        "the step of a checkpoint is the last number in its name",
        arguments: [
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

    @Test(
        "the checkpoints of a folder are the names that match the pattern and hold a number",
        arguments: [
            ("checkpoint-*", ["checkpoint-1", "checkpoint-2"]), ("*", ["checkpoint-1", "checkpoint-2", "step-3"]),
            ("checkpoint-[0-1]", ["checkpoint-1"]), ("step-?", ["step-3"]), (".hidden-*", [".hidden-4"]),
            ("none*", []), ("checkpoint-1", ["checkpoint-1"]),
        ])
    func patterns(_ pattern: String, _ found: [String]) throws {
        #expect(try names(pattern, ["checkpoint-1", "checkpoint-2", "step-3", ".hidden-4", "best"]) == found)
    }

    @Test("of numbered checkpoints that were saved at one time the newest has the highest step, not the last name")
    func newest() throws {
        let run = try TestRun()
        let folder = try #require(CheckpointFolder(of: run.spec(), in: run.folders))
        for step in [900, 1000, 20] {
            try run.checkpoint("checkpoint-\(step)")
            for file in ["model", "state"] {
                try Errno.check {
                    utimensat(AT_FDCWD, "\(folder.path)/checkpoint-\(step)/\(file)", [timespec(), timespec()], 0)
                }
            }
        }
        let all = CheckpointFolder.newestFirst(try folder.candidates())
        #expect(all.map(\.step) == [1000, 900, 20])
        #expect(all.first.map(folder.reference)?.path == "\(run.folders.work)/out/checkpoint-1000")
    }

    /// A fixed name stays one if the pattern matches it too or it holds a number.
    @Test("a checkpoint of a fixed name takes its place among numbered ones by its time")
    func fixedNames() throws {
        let run = try TestRun()
        let rule = CheckpointRule(path: "out", pattern: "*", names: ["last", "best-1", "never"])
        let folder = try #require(CheckpointFolder(of: run.spec(checkpoints: rule), in: run.folders))
        func save(_ name: String, at time: Int) throws {
            try run.checkpoint(name)
            for file in ["model", "state"] {
                let times = [timespec(tv_sec: time, tv_nsec: 0), timespec(tv_sec: time, tv_nsec: 0)]
                try Errno.check { utimensat(AT_FDCWD, "\(folder.path)/\(name)/\(file)", times, 0) }
            }
        }
        for (name, time) in [("step-10", 10), ("step-20", 20), ("step-30", 30), ("last", 20), ("best-1", 5), ("x", 99)]
        {
            try save(name, at: time)
        }
        func order() throws -> [String] { CheckpointFolder.newestFirst(try folder.candidates()).map(\.name) }
        #expect(try order() == ["step-30", "last", "step-20", "step-10", "best-1"])
        #expect(try folder.candidates().filter { $0.step == nil }.map(\.name) == ["best-1", "last"])
        try save("last", at: 31)
        try save("best-1", at: 32)
        // The same number saved again is a new save.
        try save("step-10", at: 40)
        #expect(try order() == ["step-10", "best-1", "last", "step-30", "step-20"])
    }

    @Test("a folder without files is no checkpoint")
    func empty() throws {
        let run = try TestRun()
        let folder = try #require(CheckpointFolder(of: run.spec(), in: run.folders))
        #expect(try folder.candidates() == [])
        try run.checkpoint("checkpoint-1", [:])
        try File.makeFolders("\(folder.path)/checkpoint-2/deep/er")
        #expect(try folder.candidates() == [])
    }

    @Test("the files of a checkpoint are listed by their path inside it, and links are not followed")
    func files() throws {
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

    @Test("the checkpoint folder lies in the workdir, which may be absolute")
    func place() throws {
        let run = try TestRun()
        #expect(CheckpointFolder(of: run.spec(checkpoints: nil), in: run.folders) == nil)
        let inside = CheckpointFolder(of: run.spec(workdir: "sub"), in: run.folders)
        #expect(inside?.path == "\(run.folders.work)/sub/out")
        let absolute = CheckpointFolder(of: run.spec(workdir: "/v/elsewhere"), in: run.folders)
        #expect(absolute?.path == "/v/elsewhere/out")
    }
}
