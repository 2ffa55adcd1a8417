import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Checkpoints of a fixed name, which each save overwrites: the copies that are kept, and a start after a kill.
@Suite struct FixedNameTests {
    private let run: TestRun
    private let said = Monitor<[String]>([])
    private let step = Monitor<Double?>(nil)
    private let start = ContinuousClock.now

    init() throws { run = try TestRun() }

    private var out: String { "\(run.folders.work)/out" }
    private var lines: [String] { said.read { $0 } }
    private var torn: [String] { (try? File.list(run.folders.torn)) ?? [] }

    private func receipts(
        keep: Int?, names: [String] = ["last.ckpt", "final"], attempt: Int = 1, lineage: String = "L1",
        boot: String? = nil
    ) throws -> Receipts {
        var receipts = try #require(
            try run.receipts(
                CheckpointRule(path: "out", keep: keep, names: names), attempt: attempt, lineage: lineage, boot: boot))
        receipts.say = { [said] line in said.update { $0.append(line.text) } }
        return receipts
    }

    /// Returns the name of the chosen checkpoint, followed by " unproven" if it has no proof; "none" if there is none.
    private func choose(
        keep: Int? = 1, attempt: Int = 1, lineage: String = "L1", boot: String? = nil
    ) throws -> String {
        let choice = CheckpointChoice(
            receipts: try receipts(keep: keep, attempt: attempt, lineage: lineage, boot: boot))
        return try choice.choose().map { "\($0.checkpoint.path.lastComponent)\($0.isProven ? "" : " unproven")" }
            ?? "none"
    }

    // MARK: Saving

    /// Overwrites the file from its start, as torch.save does. Writes only the first `bytes` of it; nil: all.
    private func saveFile(_ number: Int, bytes: Int? = nil) throws {
        try File.makeFolders(out)
        let content = try SavedCheckpoint.content(number % 2 == 1 ? "single/last.ckpt" : "single/model_00010.pt")
        try File.write(Array(content.prefix(bytes ?? .max)), over: "\(out)/last.ckpt")
    }

    private func saveFolder(_ number: Int, files: [String] = ["model.json", "optimizer.json"]) throws {
        for file in files { try run.checkpoint("final", [file: "{\"step\": \(number)}"]) }
    }

    private func watch(keep: Int?, from second: Int = 0) throws -> CheckpointWatch {
        CheckpointWatch(receipts: try receipts(keep: keep), open: { [] }, quietOfFirst: .seconds(2)) { [step] in
            step.read { $0 }
        }
    }

    /// Saves at `second` on the clock of the watch, then scans until the save is proven and copied.
    private func proves(_ watch: CheckpointWatch, at second: Int, _ save: () throws -> Void) throws {
        try save()
        for moment in 0...3 { try watch.scan(at: start + .seconds(second + moment)) }
        step.update { $0 = ($0 ?? 0) + 10 }
        for moment in 4...5 { try watch.scan(at: start + .seconds(second + moment)) }
    }

    private func text(_ path: String) throws -> String { try File.read(path).text }

    private func copies(of name: String) throws -> [KeptCopies.Copy] {
        try KeptCopies(receipts: try receipts(keep: 1)).all(of: name)
    }

    // MARK: Tests

    /// The training was killed after the first bytes of a save.
    @Test(
        "a checkpoint file that a killed save tore is replaced by its kept copy, with the torn one in torn/",
        arguments: [0, 1, 30, 500])
    func tornFile(_ bytes: Int) throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFile(1) }
        try proves(watch, at: 10) { try saveFile(2) }
        let whole = try File.read("\(out)/last.ckpt")
        #expect(try copies(of: "last.ckpt").map { try File.read($0.content) } == [whole])
        try saveFile(3, bytes: bytes)
        #expect(try choose(attempt: 2) == "last.ckpt")
        #expect(try File.read("\(out)/last.ckpt") == whole)
        #expect(torn == ["last.ckpt"])
        #expect(try File.read("\(run.folders.torn)/last.ckpt").count == bytes, "nothing is lost")
        #expect(lines.count == 2 && lines.first?.hasPrefix("TORN: \(out)/last.ckpt: ") == true, "\(lines)")
        #expect(lines.last == "RESTORED: \(out)/last.ckpt: the copy of attempt 1, saved at about step 10")
        // The next starts find it as its receipt says and leave it alone.
        #expect(try choose(attempt: 3) == "last.ckpt")
        #expect(try choose(attempt: 4, boot: "another") == "last.ckpt")
        #expect(lines.count == 2)
    }

    /// Each file is whole, but only one of them is of the new save.
    @Test("a checkpoint folder that mixes two saves is replaced by its kept copy")
    func mixedFolder() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try proves(watch, at: 10) { try saveFolder(2) }
        try saveFolder(3, files: ["model.json"])
        #expect(try choose(attempt: 2) == "final")
        #expect(
            try ["model", "optimizer"].map { try text("\(out)/final/\($0).json") } == [
                "{\"step\": 2}", "{\"step\": 2}",
            ])
        #expect(try text("\(run.folders.torn)/final/model.json") == "{\"step\": 3}")
    }

    /// All files are of the new save, but nothing shows whether more would have followed.
    @Test("a folder saved again without proof is replaced by its kept copy, and chosen as unproven without one")
    func wholeFolder() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try saveFolder(2)
        #expect(try choose(attempt: 2) == "final")
        #expect(try text("\(out)/final/model.json") == "{\"step\": 1}")
        // Without a copy nothing better exists.
        try saveFolder(3)
        try File.removeTree(run.folders.kept)
        #expect(try choose(attempt: 3) == "final unproven")
    }

    @Test("a checkpoint without proof stays in place when its kept copy has no files")
    func emptyCopy() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        let copy = try #require(try copies(of: "final").first)
        try File.removeTree(copy.content)
        try saveFolder(2)
        #expect(try choose(attempt: 2) == "final unproven")
        #expect(try text("\(out)/final/model.json") == "{\"step\": 2}")
        #expect(torn == [])
    }

    /// For a while one file is of the new save and one of the old, and the training reports steps.
    @Test("the kept copy is replaced only after a save beside the training has written every file")
    func halfASave() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try proves(watch, at: 10) { try saveFolder(2, files: ["model.json"]) }
        #expect(try copies(of: "final").map { try text("\($0.content)/model.json") } == ["{\"step\": 1}"])
        try proves(watch, at: 20) { try saveFolder(2, files: ["optimizer.json"]) }
        #expect(try copies(of: "final").map { try text("\($0.content)/model.json") } == ["{\"step\": 2}"])
    }

    /// The folder is a checkpoint under its own name.
    @Test("a fixed name that is a link to a folder is no checkpoint, and the log says so")
    func linkToFolder() throws {
        try run.checkpoint("5", ["model.json": "{}"])
        try File.replaceLink("\(out)/final", to: "5")
        #expect(try choose() == "none")
        #expect(File.status("\(out)/final")?.isLink == true)
        #expect(lines.first?.hasPrefix("SKIPPED: \(out)/final: a link to a folder") == true, "\(lines)")
    }

    @Test("without \"keep\" no copy is made, and torn checkpoints are moved to torn/")
    func withoutKeep() throws {
        let watch = try watch(keep: nil)
        try proves(watch, at: 0) { try saveFolder(1) }
        try proves(watch, at: 10) { try saveFile(1) }
        #expect(try choose(keep: nil, attempt: 2) == "last.ckpt")
        #expect(try !File.exists(run.folders.kept))
        try saveFolder(2, files: ["model.json"])
        try saveFile(2, bytes: 100)
        #expect(try choose(keep: nil, attempt: 3) == "none")
        #expect(torn == ["final", "last.ckpt"])
    }

    /// An archive is written from its start, its end comes last.
    @Test("a checkpoint file that was saved again whole is proven by its own end and stays")
    func wholeFile() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFile(1) }
        try saveFile(2)
        let new = try File.read("\(out)/last.ckpt")
        #expect(try choose(attempt: 2) == "last.ckpt")
        #expect(try File.read("\(out)/last.ckpt") == new)
        #expect(try run.folders.allReceipts().map(\.evidence) == [.ownEnd])
        #expect(torn == [])
    }

    @Test(
        "a checkpoint file that is saved every second is proven and copied between two saves, but not within one",
        arguments: [false, true])
    func neverQuiet(_ isOpen: Bool) throws {
        let watch = CheckpointWatch(receipts: try receipts(keep: 1), open: { isOpen ? ["last.ckpt"] : [] }) { nil }
        for second in 0...9 {
            try saveFile(second)
            try watch.scan(at: start + .seconds(second))
        }
        #expect(try copies(of: "last.ckpt").isEmpty)
        try saveFile(10)
        try watch.scan(at: start + .seconds(10))
        let saved = try File.read("\(out)/last.ckpt")
        #expect(try copies(of: "last.ckpt").map { try File.read($0.content) } == (isOpen ? [] : [saved]))
        // The next save begins the wait anew.
        try saveFile(11)
        try watch.scan(at: start + .seconds(11))
        #expect(try copies(of: "last.ckpt").map { try File.read($0.content) } == (isOpen ? [] : [saved]))
    }

    @Test("a checkpoint file whose format shows its end is proven and copied without a step of the training")
    func withoutSteps() throws {
        let watch = try watch(keep: 1)
        func scan(_ seconds: ClosedRange<Int>) throws {
            for second in seconds { try watch.scan(at: start + .seconds(second)) }
        }
        try saveFile(1)
        try saveFolder(1)
        try scan(0...1)
        #expect(try copies(of: "last.ckpt").isEmpty)
        try scan(2...3)
        #expect(try run.folders.allReceipts().map { "\($0.name) \($0.evidence)" } == ["last.ckpt ownEnd"])
        #expect(try copies(of: "last.ckpt").count == 1)
        // This format does not show where the file ends.
        try File.write(try SavedCheckpoint.content("single/old.pt"), over: "\(out)/last.ckpt")
        try scan(4...20)
        #expect(try run.folders.allReceipts().count == 1)
        #expect(try copies(of: "last.ckpt").first?.receipt == run.folders.allReceipts().first)
    }

    /// Some trainings remove the old checkpoint before they save.
    @Test("a missing or empty checkpoint is put back from its kept copy")
    func missing() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try File.removeTree("\(out)/final")
        #expect(try choose(attempt: 2) == "final")
        try File.removeTree("\(out)/final")
        try File.makeFolders("\(out)/final")
        #expect(try choose(attempt: 3) == "final")
        #expect(try File.list("\(out)/final") == ["model.json", "optimizer.json"])
    }

    @Test("with \"keep: 2\" two copies are kept, and the older one is put back when the newer one has changed")
    func keepTwo() throws {
        let watch = try watch(keep: 2)
        for number in 1...4 { try proves(watch, at: number * 10) { try saveFolder(number) } }
        let kept = try copies(of: "final")
        #expect(try kept.map { try text("\($0.content)/model.json") } == ["{\"step\": 4}", "{\"step\": 3}"])
        #expect(try File.list("\(run.folders.kept)/final").count == 2)
        // The newest has other bytes than its receipt, so that the one before is put back.
        try File.write(Array("{\"step\": 9}".utf8), over: "\(kept[0].content)/model.json")
        try saveFolder(5, files: ["model.json"])
        #expect(try choose(keep: 2, attempt: 2) == "final")
        #expect(try text("\(out)/final/model.json") == "{\"step\": 3}")
        #expect(lines.contains("UNUSABLE COPY: \(kept[0].content): it has other bytes than its receipt; left in place"))
    }

    /// It was saved before the config had "keep", or at the very end of a training.
    @Test("a checkpoint that was proven before the training began is copied too")
    func provenBefore() throws {
        try proves(try watch(keep: nil), at: 0) { try saveFile(1) }
        let watch = try watch(keep: 1)
        try watch.begin()
        try watch.scan(at: start + .seconds(20))
        #expect(try copies(of: "last.ckpt").count == 1)
    }

    @Test("a checkpoint that changed after its receipt was written is not copied")
    func savedOver() throws {
        try proves(try watch(keep: nil), at: 0) { try saveFolder(1) }
        let receipt = try #require(try run.folders.allReceipts().first)
        try saveFolder(2)
        #expect(throws: Problem.self) {
            try KeptCopies(receipts: try receipts(keep: 1)).keep(receipt, bytesPerSecond: nil)
        }
        #expect(try copies(of: "final").count == 0)
        #expect(try File.list("\(run.folders.kept)/final") == [])
    }

    /// A kill in the middle of a copy leaves such folders.
    @Test("an unfinished copy of a checkpoint is not used and does not disturb the next copy")
    func halfACopy() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        let copy = try #require(try copies(of: "final").first)
        try File.makeFolders("\(run.folders.kept)/final/new/final")
        try File.makeFolders("\(run.folders.kept)/final/\(String(Int.max, width: 20))/final")
        #expect(try copies(of: "final").map(\.folder) == [copy.folder])
        try proves(watch, at: 10) { try saveFolder(2) }
        #expect(try copies(of: "final").count == 1)
    }

    /// A forced launch begins a new lineage.
    @Test("the kept copies of another lineage stay and are not put back")
    func otherLineage() throws {
        try proves(try watch(keep: 1), at: 0) { try saveFile(1) }
        try Lineage.begin("L2", in: run.folders, spec: try #require(spec))
        try File.write([], over: "\(out)/last.ckpt")
        #expect(try choose(attempt: 2, lineage: "L2") == "none")
        #expect(try File.list("\(run.folders.kept)/last.ckpt").count == 1)
    }

    private var spec: RunSpec? { run.spec(checkpoints: CheckpointRule(path: "out", names: ["last.ckpt", "final"])) }

    @Test("an agent whose run has a newer attempt puts no copy back")
    func formerOwner() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try saveFolder(2, files: ["model.json"])
        let choice = CheckpointChoice(receipts: try receipts(keep: 1))
        try run.attempt(2)
        #expect(throws: CancellationError.self) { try choice.choose() }
        #expect(try text("\(out)/final/model.json") == "{\"step\": 2}")
    }

    @Test("the newest of fixed and numbered checkpoints is chosen, and a torn fixed one is replaced in any case")
    func amongNumbered() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try run.checkpoint("checkpoint-10") }
        try proves(watch, at: 10) { try saveFile(1) }
        #expect(try choose(attempt: 2) == "last.ckpt")
        try run.checkpoint("checkpoint-20")
        #expect(try choose(attempt: 3) == "checkpoint-20")
        // It is older than the newest proven one, but the training may load it by itself.
        try saveFile(2, bytes: 50)
        let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        try Errno.check { utimensat(AT_FDCWD, "\(out)/last.ckpt", times, 0) }
        #expect(try choose(attempt: 4) == "checkpoint-20")
        #expect(try CheckpointProof.examine("\(out)/last.ckpt").isWhole)
    }

    @Test("checkpoints of fixed names are not pruned")
    func notPruned() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFile(1) }
        try proves(watch, at: 10) { try saveFolder(1) }
        for step in [10, 20] { try proves(watch, at: 10 + step) { try run.checkpoint("checkpoint-\(step)") } }
        #expect(try File.list(out) == ["checkpoint-20", "final", "last.ckpt"])
    }

    @Test("a checkpoint that was put back has the files, times and permissions of the original")
    func faithfulCopy() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) {
            try saveFolder(1)
            try run.checkpoint("final/deep/er", ["x": "y"])
            try Errno.check { chmod("\(out)/final/model.json", 0o640) }
            try Errno.check { symlink("model.json", "\(out)/final/link") }
        }
        try saveFolder(2, files: ["model.json"])
        let before = try #require(try run.folders.allReceipts().first)
        #expect(try choose(attempt: 2) == "final")
        let after = try #require(try run.folders.allReceipts().first)
        #expect(
            after.files == before.files
                && after.files.map(\.name) == ["link", "model.json", "optimizer.json", "deep/er/x"])
        #expect(File.status("\(out)/final/model.json")?.isExecutable == false)
        var status = stat()
        try Errno.check { stat("\(out)/final/model.json", &status) }
        #expect(status.st_mode & 0o777 == 0o640)
    }
}
