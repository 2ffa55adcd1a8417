import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// Checkpoints that a training saves over, again and again: what is kept of them, and what is there after a kill.
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

    /// The name that is chosen.
    private func choose(
        keep: Int? = 1, attempt: Int = 1, lineage: String = "L1", boot: String? = nil
    ) throws -> String {
        let choice = CheckpointChoice(
            receipts: try receipts(keep: keep, attempt: attempt, lineage: lineage, boot: boot))
        return try choice.choose().map { "\($0.checkpoint.path.lastComponent)\($0.isProven ? "" : " unproven")" }
            ?? "none"
    }

    // MARK: Saving

    /// As torch.save does: over what is there, from the start. `bytes` of it; nil: all.
    private func saveFile(_ number: Int, bytes: Int? = nil) throws {
        try File.makeFolders(out)
        let content = try SavedCheckpoint.content(number % 2 == 1 ? "single/last.ckpt" : "single/model_00010.pt")
        try File.write(Array(content.prefix(bytes ?? .max)), over: "\(out)/last.ckpt")
    }

    private func saveFolder(_ number: Int, files: [String] = ["model.json", "optimizer.json"]) throws {
        for file in files { try run.checkpoint("final", [file: "{\"step\": \(number)}"]) }
    }

    private func watch(keep: Int?, from second: Int = 0) throws -> CheckpointWatch {
        CheckpointWatch(receipts: try receipts(keep: keep), open: { [] }) { [step] in step.read { $0 } }
    }

    /// Saves, and goes on until that is proven and copied. `second` is on the clock of the watch.
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

    /// The first half of a save over the only checkpoint, then SIGKILL.
    @Test(arguments: [0, 1, 30, 500]) func aFileThatIsSavedOver(_ bytes: Int) throws {
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
        // It is what its receipt says, and stays.
        #expect(try choose(attempt: 3) == "last.ckpt")
        #expect(try choose(attempt: 4, boot: "another") == "last.ckpt")
        #expect(lines.count == 2)
    }

    /// One file of two is the new one's, and each is whole.
    @Test func aFolderThatIsSavedOver() throws {
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

    /// All of it is new; but whether there would have been more of it nothing tells.
    @Test func aFolderThatWasSavedAsAWhole() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try saveFolder(2)
        #expect(try choose(attempt: 2) == "final")
        #expect(try text("\(out)/final/model.json") == "{\"step\": 1}")
        // Without a copy it is the best there is.
        try saveFolder(3)
        try File.removeTree(run.folders.kept)
        #expect(try choose(attempt: 3) == "final unproven")
    }

    /// Nothing is moved for a copy that holds nothing any more.
    @Test func aCopyWithoutItsFiles() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        let copy = try #require(try copies(of: "final").first)
        try File.removeTree(copy.content)
        try saveFolder(2)
        #expect(try choose(attempt: 2) == "final unproven")
        #expect(try text("\(out)/final/model.json") == "{\"step\": 2}")
        #expect(torn == [])
    }

    /// A save that goes on beside the training: for a while one file is the new one's and one is the old one's, and steps are told of.
    @Test func halfASaveBesideTheTrainingIsNotProven() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try proves(watch, at: 10) { try saveFolder(2, files: ["model.json"]) }
        #expect(try copies(of: "final").map { try text("\($0.content)/model.json") } == ["{\"step\": 1}"])
        try proves(watch, at: 20) { try saveFolder(2, files: ["optimizer.json"]) }
        #expect(try copies(of: "final").map { try text("\($0.content)/model.json") } == ["{\"step\": 2}"])
    }

    /// What it leads to has other names, and is a checkpoint by those.
    @Test func aLinkToAFolderIsNone() throws {
        try run.checkpoint("5", ["model.json": "{}"])
        try File.replaceLink("\(out)/final", to: "5")
        #expect(try choose() == "none")
        #expect(File.status("\(out)/final")?.isLink == true)
        #expect(lines.first?.hasPrefix("SKIPPED: \(out)/final: a link to a folder") == true, "\(lines)")
    }

    /// Without `keep` there is no copy, and a mixture of two saves is no checkpoint.
    @Test func withoutAnythingKept() throws {
        let watch = try watch(keep: nil)
        try proves(watch, at: 0) { try saveFolder(1) }
        try proves(watch, at: 10) { try saveFile(1) }
        #expect(try choose(keep: nil, attempt: 2) == "last.ckpt")
        #expect(!File.exists(run.folders.kept))
        try saveFolder(2, files: ["model.json"])
        try saveFile(2, bytes: 100)
        #expect(try choose(keep: nil, attempt: 3) == "none")
        #expect(torn == ["final", "last.ckpt"])
    }

    /// The end of an archive is its last write.
    @Test func aFileThatWasSavedAsAWholeIsProven() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFile(1) }
        try saveFile(2)
        let new = try File.read("\(out)/last.ckpt")
        #expect(try choose(attempt: 2) == "last.ckpt")
        #expect(try File.read("\(out)/last.ckpt") == new)
        #expect(try run.folders.allReceipts().map(\.evidence) == [.ownEnd])
        #expect(torn == [])
    }

    /// Of a training whose steps are not read.
    @Test func aFileNeedsNoStep() throws {
        let watch = try watch(keep: 1)
        func look(_ seconds: ClosedRange<Int>) throws {
            for second in seconds { try watch.scan(at: start + .seconds(second)) }
        }
        try saveFile(1)
        try saveFolder(1)
        try look(0...1)
        #expect(try copies(of: "last.ckpt").isEmpty)
        try look(2...3)
        #expect(try run.folders.allReceipts().map { "\($0.name) \($0.evidence)" } == ["last.ckpt ownEnd"])
        #expect(try copies(of: "last.ckpt").count == 1)
        // What no format tells the end of.
        try File.write(try SavedCheckpoint.content("single/old.pt"), over: "\(out)/last.ckpt")
        try look(4...20)
        #expect(try run.folders.allReceipts().count == 1)
        #expect(try copies(of: "last.ckpt").first?.receipt == run.folders.allReceipts().first)
    }

    /// As under a training that removes the old one first.
    @Test func oneThatIsGone() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try File.removeTree("\(out)/final")
        #expect(try choose(attempt: 2) == "final")
        try File.removeTree("\(out)/final")
        try File.makeFolders("\(out)/final")
        #expect(try choose(attempt: 3) == "final")
        #expect(try File.list("\(out)/final") == ["model.json", "optimizer.json"])
    }

    @Test func asManyAreKeptAsTheRuleSays() throws {
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

    /// One that was saved and proven before there was a rule, or at the very end of a training.
    @Test func whatIsProvenAtTheStartIsCopiedToo() throws {
        try proves(try watch(keep: nil), at: 0) { try saveFile(1) }
        let watch = try watch(keep: 1)
        try watch.begin()
        try watch.scan(at: start + .seconds(20))
        #expect(try copies(of: "last.ckpt").count == 1)
    }

    /// What changed since its receipt is not copied for what that says.
    @Test func whatIsSavedOverMeanwhileIsNotCopied() throws {
        try proves(try watch(keep: nil), at: 0) { try saveFolder(1) }
        let receipt = try #require(try run.folders.allReceipts().first)
        try saveFolder(2)
        #expect(throws: Problem.self) {
            try KeptCopies(receipts: try receipts(keep: 1)).keep(receipt, bytesPerSecond: nil)
        }
        #expect(try copies(of: "final").count == 0)
        #expect(try File.list("\(run.folders.kept)/final") == [])
    }

    /// A kill in the middle of a copy leaves something that is none.
    @Test func halfACopyIsNone() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        let copy = try #require(try copies(of: "final").first)
        try File.makeFolders("\(run.folders.kept)/final/new/final")
        try File.makeFolders("\(run.folders.kept)/final/\(String(Int.max, width: 20))/final")
        #expect(try copies(of: "final").map(\.folder) == [copy.folder])
        try proves(watch, at: 10) { try saveFolder(2) }
        #expect(try copies(of: "final").count == 1)
    }

    /// A forced launch begins anew: what the lineage before it kept is not put back.
    @Test func copiesOfAnotherLineageStayOut() throws {
        try proves(try watch(keep: 1), at: 0) { try saveFile(1) }
        try Lineage.begin("L2", in: run.folders, spec: try #require(spec))
        try File.write([], over: "\(out)/last.ckpt")
        #expect(try choose(attempt: 2, lineage: "L2") == "none")
        #expect(try File.list("\(run.folders.kept)/last.ckpt").count == 1)
    }

    private var spec: RunSpec? { run.spec(checkpoints: CheckpointRule(path: "out", names: ["last.ckpt", "final"])) }

    @Test func aFormerOwnerKeepsAndMovesNothing() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFolder(1) }
        try saveFolder(2, files: ["model.json"])
        let choice = CheckpointChoice(receipts: try receipts(keep: 1))
        try run.attempt(2)
        #expect(throws: CancellationError.self) { try choice.choose() }
        #expect(try text("\(out)/final/model.json") == "{\"step\": 2}")
    }

    /// A fixed one and numbered ones: which is the newest the time tells.
    @Test func amongNumberedOnes() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try run.checkpoint("checkpoint-10") }
        try proves(watch, at: 10) { try saveFile(1) }
        #expect(try choose(attempt: 2) == "last.ckpt")
        try run.checkpoint("checkpoint-20")
        #expect(try choose(attempt: 3) == "checkpoint-20")
        // Older than the newest proven one, it is not left in the way of a training that looks there itself.
        try saveFile(2, bytes: 50)
        let times = [timespec(tv_sec: 1, tv_nsec: 0), timespec(tv_sec: 1, tv_nsec: 0)]
        try Errno.check { utimensat(AT_FDCWD, "\(out)/last.ckpt", times, 0) }
        #expect(try choose(attempt: 4) == "checkpoint-20")
        #expect(try CheckpointProof.examine("\(out)/last.ckpt").isWhole)
    }

    @Test func theyAreNotPruned() throws {
        let watch = try watch(keep: 1)
        try proves(watch, at: 0) { try saveFile(1) }
        try proves(watch, at: 10) { try saveFolder(1) }
        for step in [10, 20] { try proves(watch, at: 10 + step) { try run.checkpoint("checkpoint-\(step)") } }
        #expect(try File.list(out) == ["checkpoint-20", "final", "last.ckpt"])
    }

    /// It has the times that the receipt says, whatever it was copied through.
    @Test func aCopyIsWhatItIsACopyOf() throws {
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
