import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// The checkpoint that a training resumes from, and the ones that are moved to `torn/`.
@Suite struct CheckpointChoiceTests {
    private let run: TestRun
    private let said = Monitor<[String]>([])

    init() throws { run = try TestRun() }

    private var out: String { "\(run.folders.work)/out" }
    private var torn: [String] { (try? File.list(run.folders.torn)) ?? [] }
    private var lines: [String] { said.read { $0 } }
    private var left: [String] { (try? File.list(out)) ?? [] }

    /// Returns the step of the chosen checkpoint, followed by " unproven" if it has no proof; "none" if there is none.
    private func choose(
        _ rule: CheckpointRule = CheckpointRule(path: "out"), attempt: Int = 1, lineage: String = "L1",
        boot: String? = nil
    ) throws -> String {
        var receipts = try #require(try run.receipts(rule, attempt: attempt, lineage: lineage, boot: boot))
        receipts.say = { [said] line in said.update { $0.append(line.text) } }
        let choice = CheckpointChoice(receipts: receipts)
        return try choice.choose().map { "\($0.checkpoint.step ?? -1)\($0.isProven ? "" : " unproven")" } ?? "none"
    }

    @Test("the agent chooses nothing and logs nothing when there is no checkpoint")
    func noCheckpoint() throws {
        #expect(try choose() == "none")
        #expect(lines == [])
    }

    @Test("the agent chooses the checkpoint that was saved last, as unproven, when none is proven")
    func newestUnproven() throws {
        for step in [20, 900, 1000] { try run.checkpoint("checkpoint-\(step)") }
        #expect(try choose() == "1000 unproven")
        #expect(torn == [])
    }

    @Test("the agent chooses the newest proven checkpoint, before and after a reboot")
    func newestProven() throws {
        for step in [10, 20] {
            try run.checkpoint("checkpoint-\(step)")
            try run.prove("checkpoint-\(step)")
        }
        #expect(try choose() == "20")
        #expect(try choose(boot: "another") == "20")
        #expect(torn == [])
    }

    /// For example one that was saved on a signal, which no later step followed.
    @Test("the agent proves and chooses a newer checkpoint with the same files as a proven one")
    func sameFilesProve() throws {
        try run.checkpoint("checkpoint-10", ["model": "m", "step-10.json": "{}"])
        try run.prove("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "x", "step-20.json": "{\"a\": 1}"])
        #expect(try choose() == "20")
        #expect(try run.folders.allReceipts().map(\.evidence) == [.laterStep, .sameFiles])
    }

    /// No format shows where these files end, so their sizes are compared.
    @Test(
        "a newer checkpoint whose files or sizes differ from the proven one's is moved to torn/ with nothing lost",
        arguments: [
            ["model": "m", "state": ""], ["model": "m"], ["model": "m", "state": "s", "more": ""],
            ["model": "m", "state": "longer"], [:],
        ])
    func incomplete(_ files: [String: String]) throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        try run.checkpoint("checkpoint-20", files)
        #expect(try choose() == "10")
        #expect(left == ["checkpoint-10"])
        #expect(torn == ["checkpoint-20"])
        let reason = files.isEmpty ? "contains no file" : "is not known to be complete, and an older one is"
        #expect(lines == ["TORN: \(out)/checkpoint-20: \(reason); moved to \(run.folders.torn)/checkpoint-20"])
        for (file, text) in files {
            #expect(try File.read("\(run.folders.torn)/checkpoint-20/\(file)").text == text, "nothing is lost")
        }
    }

    /// A training may save all of its files only now and then.
    @Test("a checkpoint with the same files as a proven one is not proven if a third one has more files")
    func smallerSet() throws {
        try run.checkpoint("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "m"])
        for step in [10, 20] { try run.prove("checkpoint-\(step)") }
        try run.checkpoint("checkpoint-30", ["model": "m"])
        #expect(try choose() == "20")
        #expect(torn == ["checkpoint-30"])
    }

    @Test("a damaged checkpoint is moved to torn/ even when no checkpoint is proven")
    func damagedWithoutProven() throws {
        try run.checkpoint("checkpoint-10", ["state.json": "{}"])
        try run.checkpoint("checkpoint-20", ["state.json": "{"])
        #expect(try choose() == "10 unproven")
        #expect(torn == ["checkpoint-20"])
        #expect(left == ["checkpoint-10"])
    }

    @Test(
        "a checkpoint that differs from its receipt is moved to torn/ and its receipt is deleted",
        arguments: [
            ("shorter", "model is shorter than it was: 0 bytes, not 5"),
            ("longer", "model is longer than it was: 6 bytes, not 5"), ("removed", "state is missing"),
        ])
    func differsFromReceipt(_ change: String, _ reason: String) throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "model", "state": "s"])
        try run.prove("checkpoint-20")
        let path = "\(out)/checkpoint-20"
        switch change {
        case "shorter": try File.write([], over: "\(path)/model")
        case "longer": try File.write(Array("longer".utf8), over: "\(path)/model")
        default: try File.remove("\(path)/state")
        }
        #expect(try choose() == "10")
        #expect(lines == ["TORN: \(path): \(reason); moved to \(run.folders.torn)/checkpoint-20"])
        #expect(try run.folders.allReceipts().map(\.step) == [10], "its receipt is deleted")
    }

    /// A copy of the volume has other times, and the user may add files. Neither changes a byte of the checkpoint.
    @Test("other times and added files do not void a receipt, and other bytes do")
    func timesAndAddedFiles() throws {
        for step in [10, 20] {
            try run.checkpoint("checkpoint-\(step)")
            try run.prove("checkpoint-\(step)")
        }
        func touch(_ file: String) throws {
            try Errno.check { utimensat(AT_FDCWD, "\(out)/checkpoint-20/\(file)", [timespec(), timespec()], 0) }
        }
        for file in ["model", "state"] { try touch(file) }
        try File.write([], over: "\(out)/checkpoint-20/more")
        try File.write(Array("late".utf8), over: "\(out)/checkpoint-10/more")
        #expect(try choose() == "20")
        #expect(try choose(attempt: 2) == "20")
        #expect(lines == [] && torn == [])
        try File.write(Array("x".utf8), over: "\(out)/checkpoint-20/model")
        #expect(try choose(attempt: 3) == "10")
        #expect(torn == ["checkpoint-20"])
    }

    /// On the boot that wrote the receipt, the agent trusts sizes and times and hashes nothing.
    @Test("changed bytes under the same size and time are found after a reboot, not before")
    func rebootHashes() throws {
        for step in [10, 20] {
            try run.checkpoint("checkpoint-\(step)")
            try run.prove("checkpoint-\(step)")
        }
        try run.corrupt("checkpoint-20", "model")
        #expect(try choose() == "20")
        #expect(try choose(boot: "another") == "10")
        #expect(
            lines.count == 1 && lines[0].contains("checkpoint-20: model has other bytes than its receipt; moved to "))
    }

    @Test("a checkpoint moved to torn/ gets a number when its name is taken there, and overwrites nothing")
    func tornAgain() throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        for text in ["a", "bb", "ccc"] {
            try run.checkpoint("checkpoint-20", ["model": text])
            #expect(try choose() == "10")
        }
        #expect(torn == ["checkpoint-20", "checkpoint-20.2", "checkpoint-20.3"])
        #expect(try torn.map { try File.read("\(run.folders.torn)/\($0)/model").text } == ["a", "bb", "ccc"])
    }

    /// Nothing is known about it, so it may be whole.
    @Test("a checkpoint with a file that cannot be read stays in place and is not chosen")
    func unreadable() throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "m"])
        // Opening a socket is an error, as opening a file is on a failing disk.
        try Errno.check { mknod("\(out)/checkpoint-20/socket", S_IFSOCK | 0o600, 0) }
        #expect(try choose() == "10")
        #expect(torn == [])
        #expect(left == ["checkpoint-10", "checkpoint-20"])
        #expect(lines.count == 1)
        #expect(lines[0].hasPrefix("UNREADABLE: \(out)/checkpoint-20: socket: could not be read: "))
        #expect(lines[0].hasSuffix("; left in place"))
    }

    /// ENAMETOOLONG does not mean that the file is gone.
    @Test("the agent reports an error and moves nothing when a checkpoint's files cannot be listed")
    func unlistable() throws {
        try run.checkpoint("checkpoint-10")
        let name = String(repeating: "n", count: 255)
        try File.makeFolders("\(out)/checkpoint-20")
        var folders = [open("\(out)/checkpoint-20", O_RDONLY | O_DIRECTORY)]
        for _ in 0..<Int(PATH_MAX) / 255 {
            try Errno.check { mkdirat(folders.last ?? -1, name, 0o755) }
            folders.append(openat(folders.last ?? -1, name, O_RDONLY | O_DIRECTORY))
        }
        defer {
            for folder in folders.dropLast().reversed() { unlinkat(folder, name, AT_REMOVEDIR) }
            for folder in folders { close(folder) }
        }
        #expect(throws: Problem.self) { try choose() }
        #expect(torn == [])
    }

    /// A forced launch begins a new lineage.
    @Test("checkpoints of another lineage are neither chosen nor moved until a new save overwrites all their files")
    func otherLineage() throws {
        try run.checkpoint("checkpoint-40")
        try run.prove("checkpoint-40")
        try run.checkpoint("checkpoint-50", ["state.json": "{"])
        try Lineage.begin("L2", in: run.folders, spec: run.spec())
        #expect(try choose(attempt: 2, lineage: "L2") == "none")
        try run.checkpoint("checkpoint-20")
        #expect(try choose(attempt: 2, lineage: "L2") == "20 unproven")
        #expect(left == ["checkpoint-20", "checkpoint-40", "checkpoint-50"])
        // Once all its files are saved again it belongs to the new lineage, and its old receipt does not count.
        try run.checkpoint("checkpoint-40", ["model": "new", "state": "new"])
        #expect(try choose(attempt: 2, lineage: "L2") == "40 unproven")
        #expect(torn == [])
    }

    /// Lightning saves such files.
    @Test("checkpoints of a single file are chosen, proven and moved to torn/ as folders are")
    func singleFiles() throws {
        let rule = CheckpointRule(path: "out", pattern: "*.ckpt")
        try File.makeFolders(out)
        func save(_ step: Int, _ text: String) throws {
            try File.write(Array(text.utf8), over: "\(out)/step=\(step).ckpt")
        }
        try save(10, "weights")
        #expect(try choose(rule) == "10 unproven")
        let receipts = try #require(try run.receipts(rule))
        try receipts.write(try receipts.prove(try #require(try receipts.checkpoints().first), by: .exit))
        #expect(try choose(rule) == "10")
        try save(20, "as long")
        #expect(try choose(rule) == "20")
        try save(30, "short")
        #expect(try choose(rule) == "20")
        #expect(left == ["step=10.ckpt", "step=20.ckpt"])
        #expect(torn == ["step=30.ckpt"])
        // The same number saved again is a new save, and nothing shows that this one ended.
        try save(20, "short")
        #expect(try choose(rule) == "10")
        #expect(
            lines.last?.contains("step=20.ckpt: is not known to be complete, and an older one is; moved to") == true)
    }

    @Test("the receipt of a deleted checkpoint proves the next one with the same files, then is deleted")
    func deletedCheckpoint() throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        try File.removeTree("\(out)/checkpoint-10")
        try run.checkpoint("checkpoint-20")
        #expect(try choose() == "20")
        #expect(try run.folders.allReceipts().map(\.step) == [20])
    }

    @Test("an agent whose run has a newer attempt moves no checkpoint and writes no receipt")
    func formerOwner() throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "m"])
        try run.checkpoint("checkpoint-30")
        try run.attempt(2)
        #expect(throws: CancellationError.self) { try choose() }
        #expect(left == ["checkpoint-10", "checkpoint-20", "checkpoint-30"])
        #expect(try run.folders.allReceipts().map(\.step) == [10])
    }

    // MARK: Counting

    private func count() throws -> [Int?] {
        let count = try #require(try run.receipts()).count()
        return [count.count, count.newest?.step, count.proven?.step]
    }

    /// An attempt's progress is its newest proven checkpoint, not its highest number.
    @Test("the newest proven checkpoint is counted apart from the newest one")
    func counts() throws {
        #expect(try count() == [0, nil, nil])
        try run.checkpoint("checkpoint-10", ["state.json": "{}"])
        #expect(try count() == [1, 10, nil])
        try run.prove("checkpoint-10")
        #expect(try count() == [1, 10, 10])
        try run.checkpoint("checkpoint-20", ["state.json": "{"])
        #expect(try count() == [2, 20, 10])
        // It has the same files as the first one, so a start would prove it.
        try run.checkpoint("checkpoint-20", ["state.json": "[]"])
        #expect(try count() == [2, 20, 20])
        try run.prove("checkpoint-20")
        try File.write([], over: "\(out)/checkpoint-20/state.json")
        #expect(try count() == [2, 20, 10], "it differs from its receipt")
        let followed = try #require(try run.receipts()).count { $0.step == 30 }
        #expect(followed.proven?.step == 10)
        try run.checkpoint("checkpoint-30", ["other.json": "{}"])
        #expect(try count() == [3, 30, 10])
        #expect(try #require(try run.receipts()).count { $0.step == 30 }.proven?.step == 30)
        try File.write([], over: "\(out)/checkpoint-30/other.json")
        #expect(try #require(try run.receipts()).count { $0.step == 30 }.proven?.step == 10)
    }

    @Test(
        "a checkpoint of a real library is not chosen when any of its files is cut by one byte or missing",
        arguments: SavedCheckpoint.kinds)
    func realLibraries(_ kind: String) throws {
        let saved = try SavedCheckpoint(kind)
        try File.makeFolders(out)
        func copy(_ step: Int) throws {
            #expect(try Command.run(["cp", "-r", saved.path, "\(out)/checkpoint-\(step)"]).code == 0)
        }
        try copy(10)
        try run.prove("checkpoint-10")
        try copy(20)
        #expect(try choose() == "20", "\(lines)")
        for file in try File.list(saved.path) {
            let path = "\(out)/checkpoint-30/\(file)"
            for damage in ["cut off", "removed"] {
                try copy(30)
                let bytes = try File.read(path)
                if damage == "removed" {
                    try File.remove(path)
                } else {
                    try File.write(Array(bytes.dropLast()), over: path)
                }
                // A JSON file is whole without its last line feed.
                if damage == "cut off" && bytes.last == UInt8(ascii: "\n") && file.hasSuffix(".json") {
                    try File.removeTree("\(out)/checkpoint-30")
                    continue
                }
                #expect(try choose() == "20", "\(file) \(damage)")
                #expect(left == ["checkpoint-10", "checkpoint-20"], "\(file) \(damage)")
            }
        }
    }
}
