import Foundation
import Glibc
import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

/// When a checkpoint gets its receipt while the training runs. The test sets the clock.
@Suite struct CheckpointWatchTests {
    private let run: TestRun
    private let watch: CheckpointWatch
    private let world = World()
    private let start = ContinuousClock.now

    private final class World: Sendable {
        let step = Mutex<Double?>(nil)
        let open = Mutex<Set<String>>([])
    }

    init() throws {
        run = try TestRun()
        let receipts = try #require(try run.receipts())
        watch = CheckpointWatch(
            receipts: receipts, open: { [world] in world.open.withLock { $0 } }, quietOfFirst: .seconds(2)
        ) { [world] in
            world.step.withLock { $0 }
        }
    }

    /// Scans once a second, from `from` to `to` seconds after the start.
    private func scan(_ from: Int, _ to: Int) throws {
        for second in from...to { try watch.scan(at: start + .seconds(second)) }
    }

    private func step(_ step: Double?) { world.step.withLock { $0 = step } }

    private var proven: [String] {
        get throws { try run.folders.allReceipts().map { "\($0.name) \($0.evidence)" } }
    }

    @Test("a checkpoint is proven by a later step, not by the step it was saved at")
    func laterStep() throws {
        step(10)
        try run.checkpoint("checkpoint-10")
        try scan(0, 20)
        #expect(try proven == [], "the step that it was saved at proves nothing")
        step(11)
        try scan(21, 21)
        #expect(try proven == ["checkpoint-10 laterStep"])
    }

    /// The training's line may be written late or read late.
    @Test("a step reported before the checkpoint was quiet proves nothing")
    func stepWhileSaving() throws {
        step(9)
        try run.checkpoint("checkpoint-10")
        try scan(0, 0)
        step(10)
        try scan(1, 20)
        #expect(try proven == [])
    }

    @Test("the first step of a training proves a checkpoint saved before it")
    func firstStep() throws {
        try run.checkpoint("checkpoint-10")
        try scan(0, 2)
        step(0)
        try scan(3, 3)
        #expect(try proven == ["checkpoint-10 laterStep"])
    }

    @Test("a checkpoint is proven only after 2 seconds without a change")
    func quiet() throws {
        step(10)
        for second in 0..<10 {
            try run.checkpoint("checkpoint-10", ["part-\(second)": "x"])
            try scan(second, second)
            step(11 + Double(second))
        }
        #expect(try proven == [])
        try watch.scan(at: start + .seconds(9.5))
        step(30)
        try watch.scan(at: start + .seconds(10.9))
        #expect(try proven == [])
        try scan(11, 11)
        #expect(try proven == ["checkpoint-10 laterStep"])
    }

    @Test("a checkpoint is not proven while one of its files is open for writing")
    func openForWriting() throws {
        step(10)
        try run.checkpoint("checkpoint-10")
        world.open.withLock { $0 = ["checkpoint-10"] }
        try scan(0, 2)
        step(11)
        try scan(3, 20)
        #expect(try proven == [])
        world.open.withLock { $0 = ["checkpoint-11"] }
        try scan(21, 23)
        #expect(try proven == ["checkpoint-10 laterStep"])
    }

    @Test("a checkpoint with a damaged file is not proven until the file is whole")
    func damagedFile() throws {
        step(10)
        try run.checkpoint("checkpoint-10", ["state.json": "{"])
        try scan(0, 2)
        step(11)
        try scan(3, 20)
        #expect(try proven == [])
        try run.checkpoint("checkpoint-10", ["state.json": "{}"])
        try scan(21, 23)
        step(12)
        try scan(24, 24)
        #expect(try proven == ["checkpoint-10 laterStep"])
    }

    @Test("a checkpoint with the same files as a proven one is proven without a later step")
    func sameFiles() throws {
        step(10)
        try run.checkpoint("checkpoint-10")
        try scan(0, 2)
        step(20)
        try scan(3, 3)
        try run.checkpoint("checkpoint-20")
        try scan(4, 6)
        #expect(try proven == ["checkpoint-10 laterStep", "checkpoint-20 sameFiles"])
    }

    @Test("a checkpoint is proven by a later checkpoint when the training reports no steps")
    func laterCheckpoint() throws {
        try run.checkpoint("checkpoint-10")
        try scan(0, 9)
        try run.checkpoint("checkpoint-20", ["model": "m"])
        try scan(10, 13)
        #expect(try proven == ["checkpoint-10 laterStep"])
    }

    @Test("a checkpoint from before the training is not proven until the training saves it again")
    func fromBefore() throws {
        try run.checkpoint("checkpoint-10")
        try watch.begin()
        step(10)
        try scan(0, 2)
        step(11)
        try scan(3, 35)
        step(12)
        try scan(36, 70)
        #expect(try proven == [])
        try run.checkpoint("checkpoint-10", ["model": "new", "state": "new"])
        try scan(71, 101)
        step(13)
        try scan(102, 102)
        #expect(try proven == ["checkpoint-10 laterStep"])
    }

    /// Without the kernel's reports the change is found within half a minute.
    @Test("a proven checkpoint that is saved again gets a new receipt")
    func savedAgain() throws {
        step(10)
        try run.checkpoint("checkpoint-10")
        try scan(0, 2)
        step(11)
        try scan(3, 3)
        let first = try run.folders.allReceipts()
        try run.checkpoint("checkpoint-10", ["model": "another"])
        try scan(4, 34)
        step(12)
        try scan(35, 36)
        let second = try run.folders.allReceipts()
        #expect(first.count == 1 && second.count == 1)
        #expect(second.first?.files.first?.sha256 == SHA256Digest(of: "another").description)
    }

    // MARK: With the kernel's reports of changes

    private func beginWithReports() throws {
        let out = "\(run.folders.work)/out"
        try File.makeFolders(out)
        try #require(FolderChanges.areReported(at: out))
        try watch.begin()
    }

    /// Saves `checkpoint-10`, which is proven by second 3.
    private func proveFirst() throws {
        step(10)
        try run.checkpoint("checkpoint-10")
        try scan(0, 2)
        step(11)
        try scan(3, 3)
        #expect(try proven == ["checkpoint-10 laterStep"])
    }

    private var isSavedAgain: Bool {
        get throws {
            let receipt = try run.folders.allReceipts().first { $0.name == "checkpoint-10" }
            return receipt?.files.first?.sha256 == SHA256Digest(of: "another").description
        }
    }

    @Test(
        "a proven checkpoint that is saved again is seen at once when the kernel reports changes",
        .enabled(if: TestRun.changesAreReported, TestRun.changesAreReportedReason))
    func savedAgainWithReports() throws {
        try beginWithReports()
        try proveFirst()
        try scan(4, 10)
        try run.checkpoint("checkpoint-10", ["model": "another"])
        try scan(11, 13)
        step(12)
        try scan(14, 14)
        #expect(try isSavedAgain)
    }

    @Test(
        "a checkpoint completed after many scans without a change is proven when the kernel reports changes",
        .enabled(if: TestRun.changesAreReported, TestRun.changesAreReportedReason))
    func afterIdleScans() throws {
        try beginWithReports()
        try proveFirst()
        try scan(4, 10)
        try File.makeFolders("\(run.folders.work)/out/checkpoint-20/inner")
        try scan(11, 20)
        try run.checkpoint("checkpoint-20/inner", ["model": "m"])
        try scan(21, 23)
        step(12)
        try scan(24, 24)
        #expect(try proven == ["checkpoint-10 laterStep", "checkpoint-20 laterStep"])
    }

    /// The kernel reports each change only once.
    @Test(
        "a changed checkpoint is found by a later scan when one scan failed",
        .enabled(if: TestRun.changesAreReported, TestRun.changesAreReportedReason))
    func failedScan() throws {
        try beginWithReports()
        try proveFirst()
        try run.checkpoint("checkpoint-10", ["model": "another"])
        let lineage = run.folders.lineagePath("L1")
        try File.makeFolders(lineage.parentFolder)
        try File.write(Array("{".utf8), over: lineage)
        #expect(throws: (any Error).self) { try scan(4, 4) }
        try File.remove(lineage)
        try scan(5, 7)
        step(12)
        try scan(8, 8)
        #expect(try isSavedAgain)
    }

    /// The kernel reports no changes of the new folder.
    @Test(
        "a checkpoint is found in a folder that replaced the watched checkpoint folder",
        .enabled(if: TestRun.changesAreReported, TestRun.changesAreReportedReason))
    func replacedFolder() throws {
        try beginWithReports()
        try proveFirst()
        let out = "\(run.folders.work)/out"
        try File.move(out, to: out + ".old")
        try run.checkpoint("checkpoint-20")
        try scan(4, 6)
        #expect(try proven == ["checkpoint-20 sameFiles"])
    }

    @Test(
        "a rename from a temporary name proves a checkpoint, and no rename does after a file was added to one",
        .enabled(if: TestRun.changesAreReported, TestRun.changesAreReportedReason))
    func renamed() throws {
        func rename(_ old: String, to new: String, at second: Int) throws {
            try run.checkpoint(old)
            try scan(second, second)
            try File.move("\(run.folders.work)/out/\(old)", to: "\(run.folders.work)/out/\(new)")
            try scan(second + 1, second + 4)
        }
        try beginWithReports()
        try rename("tmp-checkpoint-10", to: "checkpoint-10", at: 0)
        #expect(try proven == ["checkpoint-10 renamed"])
        try run.checkpoint("checkpoint-10", ["late": "x"])
        try scan(5, 9)
        #expect(try proven == [])
        try rename("checkpoint-20.tmp", to: "checkpoint-20", at: 11)
        #expect(try proven == ["checkpoint-10 laterStep"], "a later save began, and that is all")
    }

    @Test(
        "a rename from another checkpoint's name, or before the last change, proves nothing",
        .enabled(if: TestRun.changesAreReported, TestRun.changesAreReportedReason),
        arguments: ["checkpoint-9", "tmp-checkpoint-10"])
    func renamedInVain(_ old: String) throws {
        let out = "\(run.folders.work)/out"
        try beginWithReports()
        try run.checkpoint(old)
        try scan(0, 0)
        try File.move("\(out)/\(old)", to: "\(out)/checkpoint-10")
        try scan(1, 1)
        if old != "checkpoint-9" { try run.checkpoint("checkpoint-10", ["model": "in place"]) }
        try scan(2, 9)
        #expect(try proven == [])
    }

    @Test("a checkpoint whose link leads nowhere does not keep later ones from being proven")
    func danglingLink() throws {
        let out = "\(run.folders.work)/out"
        try run.checkpoint("elsewhere")
        try File.replaceLink("\(out)/checkpoint-10", to: "elsewhere")
        step(10)
        try scan(0, 2)
        step(11)
        try scan(3, 3)
        #expect(try proven == ["checkpoint-10 laterStep"])
        try File.removeTree("\(out)/elsewhere")
        try scan(4, 30)
        try run.checkpoint("checkpoint-20")
        try scan(31, 33)
        step(12)
        try scan(34, 34)
        #expect(try proven == ["checkpoint-20 sameFiles"])
    }

    @Test("a stopped watch of checkpoints proves nothing")
    func stopped() async throws {
        step(10)
        try run.checkpoint("checkpoint-10")
        try scan(0, 2)
        step(11)
        watch.stop()
        #expect(throws: CancellationError.self) { try scan(3, 3) }
        #expect(try proven == [])
        await watch.ended.value
    }

    /// Memory must not grow with the training. The next save is still compared with the newest proven one.
    @Test("the watch forgets deleted checkpoints, except the newest proven one")
    func forgetsDeleted() throws {
        for step in 1...20 { try run.checkpoint("checkpoint-\(step)") }
        let checkpoints = try #require(try run.receipts()).checkpoints()
        var observations = CheckpointObservations()
        for checkpoint in checkpoints {
            _ = observations.note([checkpoint], step: nil, at: start, date: 0) { _, _ in nil }
            observations.prove(
                Receipt(
                    of: CheckpointReference(step: checkpoint.step, path: "out/\(checkpoint.name)", modified: 1),
                    attempt: 1, lineage: "L1", evidence: .laterStep, proven: Date(), boot: "", files: []))
        }
        observations.forget(allBut: ["checkpoint-18"])
        #expect(observations.expectedUnchanged == ["checkpoint-18", "checkpoint-20"])
        #expect(checkpoints.filter { observations.save(of: $0) != nil }.map(\.name) == ["checkpoint-18"])
    }

    /// The format of an open-ended file does not show where the file ends.
    @Test(
        "two checkpoints match if names differ only in numbers and files without a checkable end in no size",
        arguments: [
            (["a-1": 1, "a-2": 1], ["a-7": 1, "a-8": 1], [], true), (["a-1": 1], ["a-1": 1, "a-2": 1], [], false),
            (["a": 1], ["b": 1], [], false), (["a": 1], ["a": 2], [], true), (["a": 1], ["a": 2], ["a"], false),
            (["global_step10/x_0": 1], ["global_step1000/x_0": 1], ["global_step10/x_0"], true),
            (["": 1], ["": 1], [""], true),
        ] as [([String: Int], [String: Int], [String], Bool)])
    func fileSets(_ one: [String: Int], _ other: [String: Int], _ openEnded: [String], _ equal: Bool) {
        #expect(FileSet(one).equals(FileSet(other), openEnded: openEnded) == equal)
        #expect(!FileSet(one).exceeds(FileSet(one)))
        #expect(FileSet(["more": 0].merging(one) { $1 }).exceeds(FileSet(one)))
    }
}
