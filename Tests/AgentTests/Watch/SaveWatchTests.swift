import Foundation
import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite struct SaveWatchTests {
    private let folder: TemporaryFolder
    private let watch: SaveWatch

    init() throws {
        folder = try TemporaryFolder("saves")
        try File.makeFolders("\(folder.path)/out/checkpoint-1")
        watch = SaveWatch(folder: CheckpointFolder(path: "\(folder.path)/out", pattern: "checkpoint-*"))
    }

    @Test(
        "the flags of a descriptor show whether it is open for writing",
        arguments: [
            ("pos:\t0\nflags:\t0100001\nmnt_id:\t26\n", true), ("pos:\t0\nflags:\t0100002\n", true),
            ("flags:\t02101101\n", true), ("pos:\t0\nflags:\t0100000\nmnt_id:\t26\n", false),
            ("flags:\t02100000\n", false),
            ("flags:\tx\n", false), ("flags:\n", false), ("", false), ("pos: 1\n", false),
        ])
    func flags(_ info: String, _ expected: Bool) {
        #expect(SaveWatch.isForWriting(info) == expected)
    }

    /// A shell that holds `file` open by `redirection` until it is dropped.
    private func holding(_ redirection: String, _ file: String) throws -> TestShell {
        try TestShell("exec 3\(redirection)'\(folder.path)/\(file)'; exec sleep 600")
    }

    @Test("the agent sees that a process has a checkpoint file open for writing", arguments: [">", ">>", "<>"])
    func openForWriting(_ redirection: String) async throws {
        #expect(!watch.hasOpenFile())
        let shell = try holding(redirection, "out/checkpoint-1/model.pt")
        try await eventuallyTrue { watch.hasOpenFile() }
        shell.end()
        #expect(!watch.hasOpenFile())
    }

    @Test("the agent does not take a file open for reading, or outside the checkpoints, for a save")
    func openOtherwise() async throws {
        try File.write([1], over: "\(folder.path)/out/checkpoint-1/model.pt")
        let reader = try holding("<", "out/checkpoint-1/model.pt")
        let neighbour = try holding(">", "outer.log")
        try await eventuallyTrue { reader.has(open: "model.pt") && neighbour.has(open: "outer.log") }
        #expect(!watch.hasOpenFile())
    }

    /// For example by a data loader, or by a program that a shell runs.
    @Test("the agent sees that a grandchild has a checkpoint file open for writing")
    func grandchild() async throws {
        let shell = try TestShell("(exec 3>'\(folder.path)/out/checkpoint-1/a'; sleep 600 & wait); true")
        try await eventuallyTrue { watch.hasOpenFile() }
        shell.end()
    }

    @Test("a checkpoint that changed a moment ago is being saved, one of a minute ago or of the future is not")
    func recentChange() async throws {
        try File.write([1], over: "\(folder.path)/out/checkpoint-1/model.pt")
        let path = "\(folder.path)/out/checkpoint-1/model.pt"
        try await eventuallyTrue { !watch.isSaving() }
        try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: path)
        #expect(watch.isSaving())
        // A date in the future comes from an archive or a wrong clock.
        try FileManager.default.setAttributes([.modificationDate: Date() + 3600], ofItemAtPath: path)
        #expect(!watch.isSaving())
        try FileManager.default.setAttributes([.modificationDate: Date() - 60], ofItemAtPath: path)
        #expect(!watch.isSaving())
    }

    @Test("a changed log beside the checkpoints is no save, a new file under a temporary checkpoint name is")
    func logBeside() throws {
        try File.makeFolders("\(folder.path)/out/runs")
        try File.write([1], over: "\(folder.path)/out/runs/events.out.tfevents.1")
        #expect(!watch.isSaving())
        try File.makeFolders("\(folder.path)/out/tmp-checkpoint-2")
        try File.write([1], over: "\(folder.path)/out/tmp-checkpoint-2/model.pt")
        #expect(watch.isSaving())
    }

    @Test(
        "the agent sees an open file of a fixed name, also under a temporary name",
        arguments: [("last.ckpt", true), ("last.ckpt.tmp", true), ("other.ckpt", false)])
    func fixedName(_ file: String, _ isSave: Bool) async throws {
        let watch = SaveWatch(
            folder: CheckpointFolder(path: "\(folder.path)/out", pattern: "checkpoint-*", names: ["last.ckpt"]))
        let shell = try holding(">", "out/\(file)")
        try await eventuallyTrue { shell.has(open: file) }
        #expect(watch.hasOpenFile() == isSave)
        shell.end()
    }

    @Test("a checkpoint folder that does not exist has no save")
    func noFolder() {
        let watch = SaveWatch(folder: CheckpointFolder(path: "\(folder.path)/none", pattern: "*"))
        #expect(!watch.isSaving())
        #expect(watch.folder.newestChange == nil)
    }
}

@Suite struct ProcessSignalsTests {
    @Test("a process's signals show which ones it catches")
    func catches() async throws {
        let catching = try TestShell("trap : TERM; while :; do read x </dev/zero; done")
        try await eventuallyTrue { ProcessSignals(of: catching.pid)?.catches(SIGTERM) == true }
        #expect(ProcessSignals(of: catching.pid)?.catches(SIGUSR2) == false)
        let plain = try TestProcess()
        try await eventuallyTrue { (try? File.read("/proc/\(plain.identity.pid)/comm").text) == "sleep\n" }
        let mask = try #require(ProcessSignals(of: plain.identity.pid))
        #expect(!mask.catches(SIGTERM))
        #expect(!mask.catches(SIGKILL))
        #expect(!mask.catches(64))
    }

    @Test("a process that does not exist has no signals")
    func noProcess() { #expect(ProcessSignals(of: -1) == nil) }
}
