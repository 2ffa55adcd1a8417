import Foundation
import Shared
import Testing

@testable import Agent

/// Packs of the project's own writer, unpacked into real folders.
@Suite final class CodeSyncTests {
    private let folder = NSTemporaryDirectory() + "sync-\(UUID().uuidString)"
    private var volume: Volume { Volume(root: folder) }
    private var run: RunFolder { volume.run(RunID("train") ?? { fatalError() }()) }
    private var work: String { run.work }

    init() throws { try File.makeFolders(folder) }

    deinit { try? File.removeTree(folder) }

    /// `name`: text; `name*`: executable; `name@`: a link to the text; `name/`: a folder.
    private typealias Tree = [String: String]

    private func entry(_ name: String, _ text: String) -> TarEntry {
        switch name.last {
        case "*": TarEntry(String(name.dropLast()), .file(size: text.utf8.count, isExecutable: true))
        case "@": TarEntry(String(name.dropLast()), .link(target: text))
        case "/": TarEntry(String(name.dropLast()), .folder)
        default: TarEntry(name, .file(size: text.utf8.count, isExecutable: false))
        }
    }

    private func pack(_ tree: Tree) throws -> PackedCode {
        final class Bytes { var all: [UInt8] = [] }
        let bytes = Bytes()
        var writer = TarWriter { bytes.all += $0 }
        for (name, text) in tree.sorted(by: { $0.key < $1.key }) {
            let entry = entry(name, text)
            try writer.begin(entry)
            if entry.size > 0 { try Array(text.utf8).withUnsafeBytes { try writer.write($0) } }
        }
        try writer.finish()
        let code = PackedCode(sha256: SHA256Digest(of: bytes.all).description, size: bytes.all.count)
        try File.makeFolders(volume.pack(code).parentFolder)
        try File.replace(volume.pack(code), with: bytes.all)
        return code
    }

    @discardableResult
    private func sync(_ code: PackedCode, isCancelled: () -> Bool = { false }) throws -> CodeSync.Change {
        try CodeSync(code: code, volume: volume, run: run).perform(isCancelled: isCancelled)
    }

    @discardableResult
    private func sync(_ tree: Tree) throws -> CodeSync.Change { try sync(try pack(tree)) }

    private func put(_ path: String, _ text: String) throws {
        let full = work.appending(path: path)
        try File.makeFolders(full.parentFolder)
        try File.replace(full, with: Array(text.utf8))
    }

    /// The content of the work tree, in the notation of `Tree`. Of its folders only empty ones are listed.
    private func tree(_ below: String = "") throws -> Tree {
        var tree: Tree = [:]
        for name in try File.list(work + "/" + below) {
            let path = below + name
            guard let status = File.status("\(work)/\(path)") else { continue }
            if status.isLink {
                tree[path + "@"] = try File.readLink("\(work)/\(path)")
            } else if status.isFolder {
                let inner = try self.tree(path + "/")
                tree.merge(inner) { $1 }
                if inner.isEmpty { tree[path + "/"] = "" }
            } else {
                tree[path + (status.isExecutable ? "*" : "")] = try File.read("\(work)/\(path)").text
            }
        }
        return tree
    }

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

    @Test("a code sync makes the work tree equal to the pack and counts the files written and removed")
    func replaces() throws {
        #expect(try sync(Self.first) == .synced(written: 8, removed: 0))
        #expect(try tree() == Self.first)
        #expect(try sync(Self.first) == .unchanged)
        #expect(try sync(Self.second) == .synced(written: 6, removed: 4))
        #expect(try tree() == Self.second)
        #expect(try sync(Self.first) == .synced(written: 7, removed: 3))
        #expect(try tree() == Self.first)
    }

    @Test("files of the training stay until a code pack brings a file of the same name")
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
    }

    @Test("a code sync keeps the time of a file that did not change, and applies a changed mode")
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

    @Test("a damaged code pack is an error and changes nothing")
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

    @Test("a code pack that contradicts itself or leads out of the work tree is refused")
    func contradiction() throws {
        #expect(problem(["a": "file", "a/b": "below"])?.contains("both as a file and as a folder") == true)
        #expect(problem(["a@": "/tmp", "a/b": "below"]) != nil)
        #expect(problem(["../a": "x"]) != nil)
        #expect(try !File.exists(work) || tree().isEmpty)
    }

    @Test("a damaged manifest of a code pack is an error that names its file")
    func damagedManifest() throws {
        try sync(Self.first)
        try File.replace(run.codeManifest, with: [])
        #expect(problem(Self.second)?.contains("code.json\" is damaged") == true)
    }

    @Test("a code manifest with paths outside the work tree removes nothing there")
    func manifestOutside() throws {
        try sync(Self.first)
        try File.replace(folder + "/precious", with: [1])
        let manifest = CodeManifest(
            sha256: "x", complete: true, files: ["../../../precious", folder + "/precious", ""])
        try manifest.write(to: run)
        try sync(Self.second.filter { $0.key != "old" })
        #expect(File.exists(folder + "/precious"))
    }

    // MARK: - in the way

    @Test("a code pack is refused when a file or folder that no pack brought is in its way")
    func inTheWay() throws {
        try put("data", "a file of the training")
        #expect(problem(["data/x": "1"])?.contains("/work/data\" is in the way of the folder") == true)
        try put("out/model", "m")
        #expect(problem(["out": "1"])?.contains("/work/out/model\" is in the way of the file") == true)
        try File.makeFolders(work + "/made/here")
        #expect(problem(["made": "1"])?.contains("in the way") == true)
        #expect(problem(["data/": ""])?.contains("in the way") == true)
        #expect(try tree() == ["data": "a file of the training", "out/model": "m", "made/here/": ""])
        #expect(File.status(run.codeManifest) == nil)
    }

    @Test("files of the last code pack make room for the next one, files of the training do not")
    func makesRoom() throws {
        try sync(["a/b/c": "1", "a/b/e/": "", "f": "file", "l@": "a"])
        let next: Tree = ["a": "file", "f/g": "1", "l/m": "1"]
        try sync(next)
        #expect(try tree() == next)
        try sync(["a/b/c": "1"])
        try put("a/b/made", "by the training")
        #expect(problem(["a": "file"])?.contains("/work/a/b/made\"") == true)
        #expect(try tree() == ["a/b/c": "1", "a/b/made": "by the training"])
    }

    // MARK: - links

    @Test("a code sync does not write through a link that a pack brought")
    func packsLink() throws {
        try File.makeFolders(folder + "/outside")
        try sync(["l@": folder + "/outside"])
        try sync(["l/x": "1"])
        #expect(try File.list(folder + "/outside") == [])
        #expect(try tree() == ["l/x": "1"])
    }

    @Test("a code sync writes through a link of the user to a folder, and removes nothing there")
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

    @Test("a code sync replaces a link in the place of a file and does not follow it")
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
    @Test("a code sync that was stopped at any point is completed by the next one", arguments: [true, false])
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

    @Test("a first code sync that was stopped at any point gives way to the next pack")
    func stoppedAtFirst() throws {
        let code = try pack(Self.first)
        for point in 0..<60 {
            try? File.removeTree(run.path)
            var calls = 0
            _ = try? sync(code) {
                calls += 1
                return calls > point
            }
            try sync(Self.second)
            #expect(try tree() == Self.second, "stopped at \(point)")
        }
    }

    /// A crash of the host can empty files that were not synced.
    @Test("files of an unfinished code sync that lost their bytes are written again")
    func emptiedFiles() throws {
        let code = try pack(Self.second)
        var calls = 0
        _ = try? sync(code) {
            calls += 1
            return calls > 14
        }
        for (name, _) in try tree() where name.last != "@" && name.last != "/" {
            try File.replace("\(work)/\(name.last == "*" ? String(name.dropLast()) : name)", with: [])
        }
        try sync(code)
        #expect(try tree() == Self.second)
    }

    @Test("a code sync brings all of 300 files")
    func manyFiles() throws {
        var tree: Tree = [:]
        for index in 0..<300 { tree["d\(index % 7)/f\(index)"] = "\(index)" }
        #expect(try sync(tree) == .synced(written: 300, removed: 0))
        #expect(try self.tree() == tree)
    }

    @Test(
        "random code packs, some of them stopped, leave only the last pack and the training's files", arguments: 0..<10)
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
            var left = Int.random(in: 0...60, using: &generator)
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
