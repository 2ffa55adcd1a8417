import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// What a training goes on from, and what is moved out of its way.
@Suite struct CheckpointChoiceTests {
    private let run: TestRun
    private let said = Monitor<[String]>([])

    init() throws { run = try TestRun() }

    private var out: String { "\(run.folders.work)/out" }
    private var torn: [String] { (try? File.list(run.folders.torn)) ?? [] }
    private var lines: [String] { said.read { $0 } }
    private var left: [String] { (try? File.list(out)) ?? [] }

    /// The step that is chosen, and whether it is proven.
    private func choose(
        _ rule: CheckpointRule = CheckpointRule(path: "out"), attempt: Int = 1, lineage: String = "L1",
        boot: String? = nil
    ) throws -> String {
        var receipts = try #require(try run.receipts(rule, attempt: attempt, lineage: lineage, boot: boot))
        receipts.say = { [said] line in said.update { $0.append(line.text) } }
        let choice = CheckpointChoice(receipts: receipts)
        return try choice.choose().map { "\($0.checkpoint.step ?? -1)\($0.isProven ? "" : " unproven")" } ?? "none"
    }

    @Test func none() throws {
        #expect(try choose() == "none")
        #expect(lines == [])
    }

    @Test func theNewestThatPassesWhereNothingIsProven() throws {
        for step in [900, 1000, 20] { try run.checkpoint("checkpoint-\(step)") }
        #expect(try choose() == "1000 unproven")
        #expect(torn == [])
    }

    @Test func theNewestProven() throws {
        for step in [10, 20] {
            try run.checkpoint("checkpoint-\(step)")
            try run.prove("checkpoint-\(step)")
        }
        #expect(try choose() == "20")
        #expect(try choose(boot: "another") == "20")
        #expect(torn == [])
    }

    /// One that was saved on a signal, say.
    @Test func oneWithTheFilesOfAProvenOneIsProvenNow() throws {
        try run.checkpoint("checkpoint-10", ["model": "m", "step-10.json": "{}"])
        try run.prove("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "x", "step-20.json": "{\"a\": 1}"])
        #expect(try choose() == "20")
        #expect(try run.folders.allReceipts().map(\.evidence) == [.laterStep, .sameFiles])
    }

    /// Of what no format tells of, only the size does.
    @Test(arguments: [
        ["model": "m", "state": ""], ["model": "m"], ["model": "m", "state": "s", "more": ""],
        ["model": "m", "state": "longer"], [:],
    ])
    func aNewerOneThatMayNotBeCompleteIsSetAside(_ files: [String: String]) throws {
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

    /// A training that saves more only now and then: the set of the lesser ones says nothing.
    @Test func aSetThatOthersExceedIsNoEvidence() throws {
        try run.checkpoint("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "m"])
        for step in [10, 20] { try run.prove("checkpoint-\(step)") }
        try run.checkpoint("checkpoint-30", ["model": "m"])
        #expect(try choose() == "20")
        #expect(torn == ["checkpoint-30"])
    }

    @Test func aDamagedOneIsSetAsideWhereNothingIsProvenToo() throws {
        try run.checkpoint("checkpoint-10", ["state.json": "{}"])
        try run.checkpoint("checkpoint-20", ["state.json": "{"])
        #expect(try choose() == "10 unproven")
        #expect(torn == ["checkpoint-20"])
        #expect(left == ["checkpoint-10"])
    }

    @Test(arguments: [
        ("shorter", "model is shorter than it was: 0 bytes, not 5"),
        ("longer", "model is longer than it was: 6 bytes, not 5"),
        ("touched", "model was changed"), ("removed", "state is missing"), ("added", "more was added"),
    ])
    func whatIsNotAsItsReceiptSays(_ change: String, _ reason: String) throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "model", "state": "s"])
        try run.prove("checkpoint-20")
        let path = "\(out)/checkpoint-20"
        switch change {
        case "shorter": try File.write([], over: "\(path)/model")
        case "longer": try File.write(Array("longer".utf8), over: "\(path)/model")
        case "touched": try Errno.check { utimensat(AT_FDCWD, "\(path)/model", [timespec(), timespec()], 0) }
        case "removed": try File.remove("\(path)/state")
        default: try File.write([], over: "\(path)/more")
        }
        #expect(try choose() == "10")
        #expect(lines == ["TORN: \(path): \(reason); moved to \(run.folders.torn)/checkpoint-20"])
        #expect(try run.folders.allReceipts().map(\.step) == [10], "its receipt goes")
    }

    /// On the machine that wrote it sizes and times are enough.
    @Test func otherBytesAreSeenAfterABoot() throws {
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

    @Test func nothingInTornIsOverwritten() throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        for text in ["a", "bb", "ccc"] {
            try run.checkpoint("checkpoint-20", ["model": text])
            #expect(try choose() == "10")
        }
        #expect(torn == ["checkpoint-20", "checkpoint-20.2", "checkpoint-20.3"])
        #expect(try torn.map { try File.read("\(run.folders.torn)/\($0)/model").text } == ["a", "bb", "ccc"])
    }

    /// Nothing is known of what the system does not let be read: it stays, and is not gone on from.
    @Test func whatCannotBeReadStaysWhereItIs() throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        try run.checkpoint("checkpoint-20", ["model": "m"])
        // To open it is an error, as it is on a disk that has lost it.
        try Errno.check { mknod("\(out)/checkpoint-20/socket", S_IFSOCK | 0o600, 0) }
        #expect(try choose() == "10")
        #expect(torn == [])
        #expect(left == ["checkpoint-10", "checkpoint-20"])
        #expect(lines.count == 1)
        #expect(lines[0].hasPrefix("UNREADABLE: \(out)/checkpoint-20: socket: could not be read: "))
        #expect(lines[0].hasSuffix("; left in place"))
    }

    /// A path that is too long is not one where nothing is.
    @Test func whatIsNotToldIsNotGone() throws {
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

    /// A forced launch's older checkpoints stay, whatever they are.
    @Test func thoseOfAnotherLineageAreLeftAlone() throws {
        try run.checkpoint("checkpoint-40")
        try run.prove("checkpoint-40")
        try run.checkpoint("checkpoint-50", ["state.json": "{"])
        try Lineage.begin("L2", in: run.folders, spec: run.spec())
        #expect(try choose(attempt: 2, lineage: "L2") == "none")
        try run.checkpoint("checkpoint-20")
        #expect(try choose(attempt: 2, lineage: "L2") == "20 unproven")
        #expect(left == ["checkpoint-20", "checkpoint-40", "checkpoint-50"])
        // Saved again as a whole it is the new one's, and the old receipt says nothing of it.
        try run.checkpoint("checkpoint-40", ["model": "new", "state": "new"])
        #expect(try choose(attempt: 2, lineage: "L2") == "40 unproven")
        #expect(torn == [])
    }

    /// As Lightning saves them.
    @Test func checkpointsOfOneFile() throws {
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
        try save(20, "short")
        #expect(try choose(rule) == "10")
        #expect(
            lines.last?.contains("step=20.ckpt: step=20.ckpt is shorter than it was: 5 bytes, not 7; moved to") == true)
    }

    /// The receipt of what was deleted tells which files a checkpoint has, until there is a newer one.
    @Test func aReceiptOutlivesItsCheckpoint() throws {
        try run.checkpoint("checkpoint-10")
        try run.prove("checkpoint-10")
        try File.removeTree("\(out)/checkpoint-10")
        try run.checkpoint("checkpoint-20")
        #expect(try choose() == "20")
        #expect(try run.folders.allReceipts().map(\.step) == [20])
    }

    /// Whoever has another owner after it moves nothing and writes nothing.
    @Test func aFormerOwnerTouchesNothing() throws {
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

    /// The newest proven one, and not the highest number, is what an attempt has got to.
    @Test func whatIsProvenIsCountedApart() throws {
        #expect(try count() == [0, nil, nil])
        try run.checkpoint("checkpoint-10", ["state.json": "{}"])
        #expect(try count() == [1, 10, nil])
        try run.prove("checkpoint-10")
        #expect(try count() == [1, 10, 10])
        try run.checkpoint("checkpoint-20", ["state.json": "{"])
        #expect(try count() == [2, 20, 10])
        // It has the files of the first, so that a start would prove it.
        try run.checkpoint("checkpoint-20", ["state.json": "[]"])
        #expect(try count() == [2, 20, 20])
        try run.prove("checkpoint-20")
        try File.write([], over: "\(out)/checkpoint-20/state.json")
        #expect(try count() == [2, 20, 10], "its receipt does not hold any more")
        let followed = try #require(try run.receipts()).count { $0.step == 30 }
        #expect(followed.proven?.step == 10)
        try run.checkpoint("checkpoint-30", ["other.json": "{}"])
        #expect(try count() == [3, 30, 10])
        #expect(try #require(try run.receipts()).count { $0.step == 30 }.proven?.step == 30)
        try File.write([], over: "\(out)/checkpoint-30/other.json")
        #expect(try #require(try run.receipts()).count { $0.step == 30 }.proven?.step == 10)
    }

    /// Real files of real libraries, each cut off, emptied or removed.
    @Test(arguments: SavedCheckpoint.kinds) func realCheckpoints(_ kind: String) throws {
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
                // A line's end after JSON is no loss.
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
