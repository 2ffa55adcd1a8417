import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// What is deleted where the config names a number to keep, and what never is.
@Suite struct PruningTests {
    private let run: TestRun
    private let said = Monitor<[String]>([])

    init() throws { run = try TestRun() }

    private var out: String { "\(run.folders.work)/out" }
    private var left: [Int] {
        get throws { try File.list(out).compactMap { CheckpointFolder.step(in: $0) }.sorted() }
    }

    /// Checkpoints with receipts.
    private func save(_ steps: Int..., files: [String: String] = ["model": "m"]) throws {
        for step in steps {
            try run.checkpoint("checkpoint-\(step)", files)
            try run.prove("checkpoint-\(step)")
        }
    }

    private func prune(_ keep: Int?, attempt: Int = 1, lineage: String = "L1") throws {
        var receipts = try #require(
            try run.receipts(CheckpointRule(path: "out", keep: keep), attempt: attempt, lineage: lineage))
        receipts.say = { [said] line in said.update { $0.append(line) } }
        try receipts.prune()
    }

    @Test(arguments: [(nil, [10, 20, 30, 40]), (9, [10, 20, 30, 40]), (3, [20, 30, 40]), (1, [40]), (0, [40])])
    func theOldestGo(_ keep: Int?, _ expected: [Int]) throws {
        try save(10, 20, 30, 40)
        try prune(keep)
        #expect(try left == expected)
        #expect(try run.folders.allReceipts().map(\.step) == expected)
        let gone = [10, 20, 30].filter { !expected.contains($0) }.reversed()
        #expect(said.read { $0 } == gone.map { "PRUNED: \(out)/checkpoint-\($0)" })
        #expect(!File.exists(run.folders.pruned))
    }

    /// They neither go nor count.
    @Test func thoseWithoutAReceiptStay() throws {
        try save(20, 40)
        for step in [10, 30, 50] { try run.checkpoint("checkpoint-\(step)") }
        try prune(1)
        #expect(try left == [10, 30, 40, 50])
    }

    @Test func whatChangedSinceStays() throws {
        try save(10, 20, 30)
        try File.write([], over: "\(out)/checkpoint-10/added")
        try File.write(Array("changed".utf8), over: "\(out)/checkpoint-30/model")
        try prune(1)
        #expect(try left == [10, 20, 30])
    }

    @Test func theBestStays() throws {
        try save(10, 20, 30)
        try save(40, files: ["trainer_state.json": #"{"best_model_checkpoint": "some/where/checkpoint-20/"}"#])
        try save(50, files: ["trainer_state.json": #"{"best_model_checkpoint": null}"#])
        try prune(2)
        #expect(try left == [20, 40, 50])
    }

    /// While a training gets better.
    @Test func aFormerBestGoes() throws {
        for step in [10, 20, 30, 40] {
            let best = min(step, 30)
            try save(step, files: ["trainer_state.json": #"{"best_model_checkpoint": "out/checkpoint-\#(best)"}"#])
        }
        try prune(1)
        #expect(try left == [30, 40])
    }

    @Test func whereTheBestIsNotToldNothingGoes() throws {
        try save(10, 20)
        try run.checkpoint("checkpoint-30", ["trainer_state.json": "{\"best_model_check"])
        #expect(throws: Problem.self) { try prune(1) }
        #expect(try left == [10, 20, 30])
    }

    @Test func thoseOfAnotherLineageStay() throws {
        try save(10, 20, 30)
        try Lineage.begin("L2", in: run.folders, spec: run.spec())
        try prune(1, attempt: 2, lineage: "L2")
        #expect(try left == [10, 20, 30])
    }

    @Test func aFormerOwnerDeletesNothing() throws {
        try save(10, 20)
        try run.attempt(2)
        #expect(throws: CancellationError.self) { try prune(1) }
        #expect(try left == [10, 20])
    }

    /// What it leads to is somebody else's.
    @Test func aLinkGoesAndNotWhatItLeadsTo() throws {
        try save(20)
        let elsewhere = "\(run.volume.root)/elsewhere"
        try File.makeFolders(elsewhere)
        try File.write([1], over: "\(elsewhere)/model")
        try Errno.check { symlink(elsewhere, "\(out)/checkpoint-10") }
        try Errno.check { symlink(elsewhere, "\(out)/checkpoint-20/inner") }
        for name in ["checkpoint-10", "checkpoint-20"] { try run.prove(name) }
        try save(30)
        try prune(1)
        #expect(try left == [30])
        #expect(try File.read("\(elsewhere)/model") == [1])
    }
}
