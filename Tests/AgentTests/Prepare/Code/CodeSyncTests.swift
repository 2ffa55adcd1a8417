import Foundation
import Shared
import TestSupport
import Testing

@testable import Agent

/// Packs of the project's own writer, unpacked into real folders.
@Suite final class CodeSyncTests {
    private typealias Tree = CodeBed.Tree

    private let bed: CodeBed
    private var folder: String { bed.folder }
    private var volume: Volume { bed.volume }
    private var run: RunFolder { bed.run }
    private var work: String { bed.work }

    init() throws { bed = try CodeBed() }

    private func pack(_ tree: Tree) throws -> PackedCode { try bed.pack(tree) }

    @discardableResult
    private func sync(_ code: PackedCode, isCancelled: () -> Bool = { false }) throws -> CodeSync.Change {
        try bed.sync(code, isCancelled: isCancelled)
    }

    @discardableResult
    private func sync(_ tree: Tree) throws -> CodeSync.Change { try bed.sync(tree) }

    private func put(_ path: String, _ text: String) throws { try bed.put(path, text) }

    private func tree() throws -> Tree { try bed.tree() }

    private func problem(_ tree: Tree) -> String? {
        do {
            try sync(tree)
            return nil
        } catch {
            return (error as? Problem)?.sentence ?? "\(error)"
        }
    }

    // MARK: - without troubles

    private static let first: Tree = [
        "train.py": "v1", "lib/a.py": "a", "lib/b.py": "b", "old/deep/x": "x", "run.sh*": "#!", "link@": "lib/a.py",
        "empty/": "", "nüm b\ner/训练": "é", String(repeating: "deep-folder/", count: 25) + "x": "far",
    ]
    private static let second: Tree = [
        "train.py": "v2", "lib/a.py": "a", "lib/c.py": "c", "old": "a file now", "run.sh": "#!", "link@": "lib/c.py",
        "lib/sub/new*": String(repeating: "n", count: 600_000),
    ]

    @Test("a sync makes the work tree equal to the pack and counts the files written and removed")
    func replaces() throws {
        #expect(try sync(Self.first) == .synced(written: 8, removed: 0))
        #expect(try tree() == Self.first)
        #expect(try sync(Self.first) == .unchanged)
        #expect(try sync(Self.second) == .synced(written: 6, removed: 4))
        #expect(try tree() == Self.second)
        #expect(try sync(Self.first) == .synced(written: 7, removed: 3))
        #expect(try tree() == Self.first)
    }

    @Test("files of the training stay until a pack brings a file of the same name")
    func trainingsFiles() throws {
        try sync(Self.first)
        let made: Tree = ["out/checkpoint-1/model": "m", "lib/cache": "c", "empty/log": "l", "old/deep/mine": "m"]
        for (path, text) in made { try put(path, text) }
        var next = Self.second
        next["old"] = nil
        try sync(next)
        #expect(try tree() == next.merging(made) { $1 })
        try put("lib/sub/new", "made by the training")
        try put("other", "made by the training")
        try sync(Self.second.filter { $0.key != "old" }.merging(["other": "code"]) { $1 })
        #expect(try tree()["other"] == "code")
        #expect(try bed.replaced() == ["other": ["made by the training"]])
    }

    @Test("a file that did not change keeps its time, and a changed mode is applied")
    func sameFile() throws {
        try sync(Self.first)
        let before = File.status("\(work)/lib/a.py")
        try sync(Self.second)
        #expect(File.status("\(work)/lib/a.py") == before)
        #expect(!File.isExecutable("\(work)/run.sh"))
    }

    @Test("code that is already in place needs no pack")
    func alreadyThere() throws {
        let code = try pack(Self.first)
        try sync(code)
        try File.remove(volume.pack(code))
        #expect(try sync(code) == .unchanged)
        try File.removeTree(work)
        #expect(throws: Problem.self) { try self.sync(code) }
    }

    // MARK: - the pack

    @Test("a damaged pack is an error and changes nothing")
    func damagedPack() throws {
        try sync(Self.first)
        let code = try pack(Self.second)
        var bytes = try File.read(volume.pack(code))
        bytes[600] ^= 1
        try File.replace(volume.pack(code), with: bytes)
        #expect(throws: Problem.self) { try self.sync(code) }
        try File.replace(volume.pack(code), with: Array(bytes.dropLast(512)))
        #expect(throws: Problem.self) { try self.sync(code) }
        #expect(try tree() == Self.first)
    }

    @Test("a pack that contradicts itself or leads out of the work tree is refused")
    func contradiction() throws {
        #expect(problem(["a": "file", "a/b": "below"])?.contains("both as a file and as a folder") == true)
        #expect(problem(["a@": "/tmp", "a/b": "below"]) != nil)
        #expect(problem(["../a": "x"]) != nil)
        #expect(try !File.exists(work) || tree().isEmpty)
    }

    @Test("a damaged manifest is an error that names its file")
    func damagedManifest() throws {
        try sync(Self.first)
        try File.replace(run.codeManifest, with: [])
        #expect(problem(Self.second)?.contains("code.json\" is damaged") == true)
    }

    @Test("a manifest with paths outside the work tree removes nothing there")
    func manifestOutside() throws {
        try sync(Self.first)
        try File.replace(folder + "/precious", with: [1])
        let paths = ["../../../precious", folder + "/precious", ""]
        let precious = CodeContent.file(sha256: SHA256Digest(of: [1]).description, size: 1, isExecutable: false)
        let entries = paths.map { CodeManifest.Entry(path: Array($0.utf8), content: precious) }
        try CodeManifest(sha256: "x", isComplete: true, files: entries, arriving: entries).write(to: run)
        try sync(Self.second.filter { $0.key != "old" })
        try File.replace(
            run.codeManifest, with: try JSON.encode(FormerManifest(sha256: "x", complete: true, files: paths)))
        try sync(Self.first)
        #expect(try File.exists(folder + "/precious"))
    }

    @Test("a file is a result if the manifest of the last pack has no hashes")
    func formerManifest() throws {
        try sync(["same": "1", "other": "1", "gone": "1", "empty/": ""])
        let files = ["empty/", "gone", "other", "same"]
        try File.replace(
            run.codeManifest, with: try JSON.encode(FormerManifest(sha256: "x", complete: true, files: files)))
        try sync(["same": "1", "other": "2"])
        #expect(try tree() == ["same": "1", "other": "2", "gone": "1"])
        #expect(try bed.replaced() == ["other": ["1"]])
    }

    // MARK: - in the way

    @Test("files and folders of the training make room for those of a pack and are kept")
    func inTheWay() throws {
        try put("data", "a file of the training")
        try sync(["data/x": "1"])
        try put("out/model", "m")
        try sync(["out": "1"])
        try File.makeFolders(work + "/made/here")
        try put("file", "f")
        try sync(["made": "1", "file/": ""])
        #expect(try tree() == ["made": "1", "file/": ""])
        let kept = ["data": "a file of the training", "out/model": "m", "made/here/": "", "file": "f"]
        #expect(try bed.replaced() == kept.mapValues { [$0] })
        #expect(
            bed.lines
                == [("0001", "data"), ("0002", "out"), ("0003", "file"), ("0003", "made")].map {
                    .resultReplaced($1, movedTo: "\(run.path)/replaced/\($0)/\($1)")
                })
    }

    @Test("a folder of the last pack makes room for a file, and is kept if the training has files in it")
    func makesRoom() throws {
        try sync(["a/b/c": "1", "a/b/e/": "", "f": "file", "l@": "a"])
        let next: Tree = ["a": "file", "f/g": "1", "l/m": "1"]
        try sync(next)
        #expect(try tree() == next)
        try sync(["a/b/c": "1"])
        try put("a/b/made", "by the training")
        try sync(["a": "file"])
        #expect(try tree() == ["a": "file"])
        #expect(try bed.replaced() == ["a/b/made": ["by the training"]])
    }

    @Test("a sync never touches the folder of checkpoints, and creates it if it is missing")
    func checkpoints() throws {
        bed.checkpoints = CheckpointArea(of: CheckpointRule(path: "out"), workdir: ".", work: work)
        try sync(["out/last.json": "laptop", "out/checkpoint-1/": "", "train.py": "1"])
        #expect(try tree() == ["train.py": "1"])
        try sync(["out/": "", "train.py": "2"])
        #expect(try tree() == ["out/": "", "train.py": "2"])
        try put("out/last.json", "training")
        try sync(["out/last.json": "laptop", "train.py": "3"])
        try sync(["train.py": "4"])
        #expect(try tree() == ["out/last.json": "training", "train.py": "4"])
        bed.checkpoints = CheckpointArea(of: CheckpointRule(path: "deep/out"), workdir: ".", work: work)
        try put("deep/out/last.json", "training")
        #expect(problem(["deep": "1"])?.contains("/work/deep/out\" is in the way") == true)
        #expect(bed.lines == [])
    }

    // MARK: - links

    @Test(
        "a result behind the user's link to another file system is kept",
        .enabled(if: try File.exists("/dev/shm"), "needs two file systems"))
    func otherFileSystem() throws {
        let disk = try TemporaryFolder("sync-disk")
        try sync(["data/a": "1", "train.py": "1"])
        try File.removeTree(work + "/data")
        try File.replaceLink(work + "/data", to: disk.path)
        try File.replace(disk.path + "/a", with: Array("mine".utf8))
        try sync(["data/a": "2", "train.py": "1"])
        #expect(try File.read(disk.path + "/a").text == "2")
        #expect(try bed.replaced() == ["data/a": ["mine"]])
    }

    @Test("a code sync does not write through a link that a pack brought")
    func packsLink() throws {
        try File.makeFolders(folder + "/outside")
        try sync(["l@": folder + "/outside"])
        try sync(["l/x": "1"])
        #expect(try File.list(folder + "/outside") == [])
        #expect(try tree() == ["l/x": "1"])
    }

    @Test("a sync writes through a link of the user to a folder, and removes nothing there")
    func usersLink() throws {
        try sync(["data/a": "1", "data/b": "1"])
        try File.makeFolders(folder + "/big")
        try File.removeTree(work + "/data")
        try File.replaceLink(work + "/data", to: folder + "/big")
        try File.replace(folder + "/big/a", with: Array("mine".utf8))
        try sync(["data/b": "2", "data/sub/c": "3"])
        #expect(try tree() == ["data@": folder + "/big"])
        #expect(try File.read(folder + "/big/a").text == "mine")
        #expect(try File.read(folder + "/big/b").text == "2")
        #expect(try File.read(folder + "/big/sub/c").text == "3")
        try File.replaceLink(work + "/data", to: folder + "/nowhere")
        #expect(problem(["data/b": "3"])?.contains("in the way") == true)
    }

    @Test("a link in the place of a file is replaced and not followed")
    func linkInPlace() throws {
        try File.replace(folder + "/precious", with: Array("mine".utf8))
        try File.makeFolders(work)
        try File.replaceLink(work + "/config", to: folder + "/precious")
        try sync(["config": "code"])
        #expect(try File.read(folder + "/precious").text == "mine")
        #expect(try tree() == ["config": "code"])
    }

    // MARK: - stopped syncs

    /// It is stopped at each point where a kill would leave another state. Then the same pack comes, or a third one.
    @Test("a sync that was stopped at any point is completed by the next one", arguments: [true, false])
    func stoppedAnywhere(sameAgain: Bool) throws {
        let codes = try [Self.first, Self.second, ["train.py": "v3", "old/deep": "3", "lib/sub": "a file"]].map(pack)
        let trees = [Self.first, Self.second, ["train.py": "v3", "old/deep": "3", "lib/sub": "a file"]]
        let made: Tree = ["out/checkpoint-1": "m", "lib/made": "c"]
        var point = 0
        while true {
            try? File.removeTree(run.path)
            try sync(codes[0])
            for (path, text) in made { try put(path, text) }
            var calls = 0
            do {
                try sync(codes[1]) {
                    calls += 1
                    return calls > point
                }
                break
            } catch is CancellationError {}
            let last = sameAgain ? 1 : 2
            try sync(codes[last])
            #expect(try tree() == trees[last].merging(made) { $1 }, "stopped at \(point)")
            #expect(try sync(codes[last]) == .unchanged)
            point += 1
        }
        #expect(point > 20)
    }

    @Test("a first sync that was stopped at any point gives way to the next pack")
    func stoppedAtFirst() throws {
        let code = try pack(Self.first)
        var point = 0
        while try bed.isStopped(code, at: point) {
            try sync(Self.second)
            #expect(try tree() == Self.second, "stopped at \(point)")
            try bed.removeRun()
            point += 1
        }
        #expect(point > 40)
    }

    /// A crash of the host can empty files that were not synced.
    @Test("files of an unfinished sync that lost their bytes are written again")
    func emptiedFiles() throws {
        let code = try pack(Self.second)
        var steps = 0
        while try bed.isStopped(code, at: steps) {
            try bed.removeRun()
            steps += 1
        }
        try bed.removeRun()
        #expect(try bed.isStopped(code, at: steps - 3))
        for (name, _) in try tree() where name.last != "@" && name.last != "/" {
            try File.replace("\(work)/\(name.last == "*" ? String(name.dropLast()) : name)", with: [])
        }
        try sync(code)
        #expect(try tree() == Self.second)
        #expect(try bed.replaced().isEmpty)
    }

    @Test("a sync brings all of 300 files")
    func manyFiles() throws {
        var tree: Tree = [:]
        for index in 0..<300 { tree["d\(index % 7)/f\(index)"] = "\(index)" }
        #expect(try sync(tree) == .synced(written: 300, removed: 0))
        #expect(try self.tree() == tree)
    }

    @Test("random packs, some of them stopped, leave only the last pack and the training's files", arguments: 0..<10)
    func randomTrees(seed: UInt64) throws {
        var generator = Fixed(state: seed)
        let names = ["a", "b", "c d", "ü", "e.py", "\n"]
        var made: Tree = [:]
        for _ in 0..<8 {
            var next: Tree = [:]
            var taken: Set<String> = []
            for _ in 0..<Int.random(in: 1...15, using: &generator) {
                let parts = (0...Int.random(in: 0...2, using: &generator)).map { _ in
                    names.randomElement(using: &generator) ?? ""
                }
                let path = parts.joined(separator: "/")
                let parents = (1..<parts.count + 1).map { parts[..<$0].joined(separator: "/") }
                if taken.contains(where: { parents.contains($0) || $0.hasPrefix(path + "/") }) { continue }
                taken.insert(path)
                next[path + (["", "", "", "*", "@"].randomElement(using: &generator) ?? "")] =
                    "\(UInt8.random(in: 0...2, using: &generator))"
            }
            let code = try pack(next)
            var left = Int.random(in: 0...120, using: &generator)
            do {
                try sync(code) {
                    left -= 1
                    return left < 0
                }
            } catch is CancellationError {
                if Bool.random(using: &generator) { continue }  // another pack comes
                try sync(code)
            }
            #expect(try tree() == next.merging(made) { $1 })
            let mine = "made/\(Int.random(in: 0...3, using: &generator))"
            try put(mine, "m")
            made[mine] = "m"
        }
    }
}

/// The manifest of agents that did not compare contents.
private struct FormerManifest: Codable {
    var sha256: String
    var complete: Bool
    /// That of a folder ends with a slash.
    var files: [String]
}

/// The same numbers for the same seed, SplitMix64.
private struct Fixed: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
