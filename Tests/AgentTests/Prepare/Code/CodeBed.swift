import Foundation
import Shared
import TestSupport

@testable import Agent

/// A run on a volume in memory, if the machine has one, with packs of the project's own writer.
final class CodeBed {
    /// `name`: text; `name*`: executable; `name@`: a link to the text; `name/`: a folder.
    typealias Tree = [String: String]

    let folder: String
    let volume: Volume
    let run: RunFolder
    var work: String { run.work }
    var checkpoints = CheckpointArea()
    /// The number of the next attempt's sync.
    private(set) var attempt = 1
    /// What the syncs reported, of all attempts.
    private(set) var lines: [LogLine] = []

    init() throws {
        folder = (try File.exists("/dev/shm") ? "/dev/shm/" : NSTemporaryDirectory()) + "sync-\(UUID().uuidString)"
        volume = Volume(root: folder)
        guard let id = RunID("train") else { throw Problem("\"train\" is not a run's name") }
        run = volume.run(id)
        try File.makeFolders(folder)
    }

    deinit { try? File.removeTree(folder) }

    private func entry(_ name: String, _ text: String) -> TarEntry {
        switch name.last {
        case "*": TarEntry(String(name.dropLast()), .file(size: text.utf8.count, isExecutable: true))
        case "@": TarEntry(String(name.dropLast()), .link(target: text))
        case "/": TarEntry(String(name.dropLast()), .folder)
        default: TarEntry(name, .file(size: text.utf8.count, isExecutable: false))
        }
    }

    func pack(_ tree: Tree) throws -> PackedCode {
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

    /// Each sync is that of a new attempt.
    @discardableResult
    func sync(_ code: PackedCode, isCancelled: () -> Bool = { false }) throws -> CodeSync.Change {
        defer { attempt += 1 }
        let sync = CodeSync(
            code: code, volume: volume, run: run, attempt: attempt, checkpoints: checkpoints,
            say: { self.lines.append($0) })
        return try sync.perform(isCancelled: isCancelled)
    }

    @discardableResult
    func sync(_ tree: Tree) throws -> CodeSync.Change { try sync(try pack(tree)) }

    /// Stops the sync at its step `limit`. Returns whether it was stopped.
    func isStopped(_ code: PackedCode, at limit: Int) throws -> Bool {
        var calls = 0
        do {
            try sync(code) {
                calls += 1
                return calls > limit
            }
            return false
        } catch is CancellationError {
            return true
        }
    }

    func put(_ path: String, _ text: String) throws {
        let full = work.appending(path: path)
        try File.makeFolders(full.parentFolder)
        try File.replace(full, with: Array(text.utf8))
    }

    /// Removes the run's folder, so that the next sync is the run's first.
    func removeRun() throws {
        try File.removeTree(run.path)
        lines = []
    }

    /// The content of the work tree. Of its folders only empty ones are listed.
    func tree() throws -> Tree { try tree(of: work) }

    /// All results that made room, by the path that they had in the work tree.
    func replaced() throws -> [String: Set<String>] {
        var all: [String: Set<String>] = [:]
        let folder = "\(run.path)/replaced"
        for attempt in try File.exists(folder) ? File.list(folder) : [] {
            for (path, text) in try tree(of: "\(folder)/\(attempt)") { all[path, default: []].insert(text) }
        }
        return all
    }

    private func tree(of root: String, _ below: String = "") throws -> Tree {
        var tree: Tree = [:]
        for name in try File.list(root + "/" + below) {
            let path = below + name
            guard let status = File.status("\(root)/\(path)") else { continue }
            if status.isLink {
                tree[path + "@"] = try File.readLink("\(root)/\(path)")
            } else if status.isFolder {
                let inner = try self.tree(of: root, path + "/")
                tree.merge(inner) { $1 }
                if inner.isEmpty { tree[path + "/"] = "" }
            } else {
                tree[path + (status.isExecutable ? "*" : "")] = try File.read("\(root)/\(path)").text
            }
        }
        return tree
    }
}
