import Foundation
import Shared
import TestSupport
import Testing

@testable import Launcher

/// Code folders that also hold checkpoints of the run or files of this program.
@Suite final class NotCodeTests {
    private let folder: TemporaryFolder
    private var tree: String { folder.path + "/tree" }

    init() throws {
        folder = try TemporaryFolder("not-code")
        try File.makeFolders(tree)
        try write("train.py")
    }

    private func write(_ path: String) throws {
        try File.makeFolders("\(tree)/\(path)".parentFolder)
        try File.replace("\(tree)/\(path)", with: Array("x".utf8))
    }

    private func git() throws {
        let (code, output) = try Command.run(
            ["sh", "-ec", "git init -q .; git add -f .; git -c user.name=n -c user.email=e commit -qm m"], in: tree)
        try #require(code == 0, "\(output.text)")
    }

    private func list(
        checkpoints: CheckpointRule? = nil, workdir: String = ".", volume: String = "/nowhere",
        home: String = "/nowhere",
        outputs: [Int32] = []
    ) async throws -> (names: [String], leftOut: [String]) {
        let area = CheckpointArea(of: checkpoints, workdir: workdir, work: "/v/runs/r/work")
        let notCode = NotCode(checkpoints: area, volume: Volume(root: volume), home: home, outputs: outputs)
        let found = try await CodeTree(folder: tree, without: notCode)
        return (found.entries.map { $0.path + ($0.kind == .folder ? "/" : "") }, found.leftOut.sorted())
    }

    @Test("the folder of checkpoints is packed without its content", arguments: [true, false])
    func checkpoints(isTracked: Bool) async throws {
        for path in ["sub/out/last.json", "sub/out/checkpoint-1/model", "out/mine"] { try write(path) }
        if isTracked { try git() }
        let found = try await list(checkpoints: CheckpointRule(path: "out", names: ["last.json"]), workdir: "sub")
        #expect(found.names == ["out/mine", "sub/out/", "train.py"])
        #expect(found.leftOut == ["sub/out/ (the run's checkpoints)"])
    }

    @Test("only the checkpoints are left out if checkpoints.path is the folder of the code", arguments: [true, false])
    func checkpointsBesideCode(isTracked: Bool) async throws {
        for path in ["last.json", "checkpoint-1/model", "checkpoint.py"] { try write(path) }
        if isTracked { try git() }
        let found = try await list(checkpoints: CheckpointRule(path: ".", names: ["last.json"]))
        #expect(found.names == ["checkpoint.py", "train.py"])
        #expect(found.leftOut == ["checkpoint-1/ (the run's checkpoints)", "last.json (the run's checkpoints)"])
    }

    @Test("the volume and the folder of launch are no code, whatever path leads to them", arguments: [true, false])
    func volumeAndHome(isTracked: Bool) async throws {
        for path in ["data/v/runs/r/work/train.py", "data/x", "home/pods/p/pod.json"] { try write(path) }
        if isTracked { try git() }
        try File.replaceLink("\(folder.path)/link", to: tree)
        let found = try await list(volume: "\(folder.path)/link/data/v", home: "\(tree)/data/../home")
        #expect(found.names == ["data/x", "train.py"])
        #expect(found.leftOut == ["data/v/ (the volume)", "home/ (the folder of launch)"])
    }

    @Test("code in a folder that is the volume and the folder of launch is packed without their own parts")
    func codeInVolume() async throws {
        for path in [
            "runs/r/run.json", ".pod-agent/cache/code/a.tar", "pods/p/pod.json", "locks/r", "key", "volume/runs/r",
            "logs/a",
            "logs/current.log",
        ] { try write(path) }
        let found = try await list(volume: tree, home: tree)
        #expect(found.names == ["logs/a", "train.py"])
        #expect(found.leftOut.count == 7)
    }

    @Test("the file behind standard output is no code")
    func output() async throws {
        try write("sub/train.log")
        let output = open("\(tree)/sub/train.log", O_WRONLY | O_CLOEXEC)
        defer { close(output) }
        let found = try await list(outputs: [output])
        #expect(found.names == ["train.py"])
        #expect(found.leftOut == ["sub/train.log (the output of launch)"])
    }
}
