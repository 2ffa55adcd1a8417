import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

/// The checkpoints that are deleted if the config sets `keep`, and those that never are.
@Suite struct PruningTests {
    private let run: TestRun
    private let said = Monitor<[String]>([])

    init() throws { run = try TestRun() }

    private var out: String { "\(run.folders.work)/out" }
    private var left: [Int] {
        get throws { try File.list(out).compactMap { CheckpointFolder.step(in: $0) }.sorted() }
    }

    /// Saves checkpoints and writes their receipts.
    private func save(_ steps: Int..., files: [String: String] = ["model": "m"]) throws {
        for step in steps {
            try run.checkpoint("checkpoint-\(step)", files)
            try run.prove("checkpoint-\(step)")
        }
    }

    private func prune(_ keep: Int?, attempt: Int = 1, lineage: String = "L1") throws {
        var receipts = try #require(
            try run.receipts(CheckpointRule(path: "out", keep: keep), attempt: attempt, lineage: lineage))
        receipts.say = { [said] line in said.update { $0.append(line.text) } }
        try receipts.prune()
    }

    @Test(
        "pruning deletes the oldest proven checkpoints with their receipts, never the newest",
        arguments: [(nil, [10, 20, 30, 40]), (9, [10, 20, 30, 40]), (3, [20, 30, 40]), (1, [40]), (0, [40])])
    func oldest(_ keep: Int?, _ expected: [Int]) throws {
        try save(10, 20, 30, 40)
        try prune(keep)
        #expect(try left == expected)
        #expect(try run.folders.allReceipts().map(\.step) == expected)
        let gone = [10, 20, 30].filter { !expected.contains($0) }.reversed()
        #expect(said.read { $0 } == gone.map { "PRUNED: \(out)/checkpoint-\($0)" })
        #expect(try !File.exists(run.folders.pruned))
    }

    @Test("checkpoints without a receipt are neither pruned nor counted")
    func withoutReceipt() throws {
        try save(20, 40)
        for step in [10, 30, 50] { try run.checkpoint("checkpoint-\(step)") }
        try prune(1)
        #expect(try left == [10, 30, 40, 50])
    }

    @Test("checkpoints that changed after their receipts were written are neither pruned nor counted")
    func changed() throws {
        try save(10, 20, 30)
        try File.write([], over: "\(out)/checkpoint-10/added")
        try File.write(Array("changed".utf8), over: "\(out)/checkpoint-30/model")
        try prune(1)
        #expect(try left == [10, 20, 30])
    }

    @Test("the checkpoint that a newer trainer_state.json calls the best is not pruned")
    func best() throws {
        try save(10, 20, 30)
        try save(40, files: ["trainer_state.json": #"{"best_model_checkpoint": "some/where/checkpoint-20/"}"#])
        try save(50, files: ["trainer_state.json": #"{"best_model_checkpoint": null}"#])
        try prune(2)
        #expect(try left == [20, 40, 50])
    }

    /// The state that the Trainer of transformers writes with `load_best_model_at_end`.
    /// It writes NaN or Infinity for a loss that is not finite, which JSON does not allow.
    private static func state(step: Int, best: String, loss: String = "0.31") -> String {
        """
        {
          "best_global_step": 20,
          "best_metric": 0.2504,
          "best_model_checkpoint": \(best),
          "epoch": 1.0,
          "eval_steps": 10,
          "global_step": \(step),
          "is_hyper_param_search": false,
          "is_local_process_zero": true,
          "is_world_process_zero": true,
          "log_history": [
            {"epoch": 0.5, "grad_norm": \(loss), "learning_rate": 4.5e-05, "loss": \(loss), "step": 10},
            {"epoch": 0.5, "eval_loss": 0.2504, "eval_runtime": 0.01, "step": 10}
          ],
          "logging_steps": 10,
          "max_steps": 100,
          "stateful_callbacks": {"TrainerControl": {"args": {"should_save": true}, "attributes": {}}},
          "total_flos": 0.0,
          "trial_params": null
        }

        """
    }

    @Test(
        "the best checkpoint is recognised by its name, whatever path the Trainer wrote",
        arguments: [
            "\"out/checkpoint-20\"", "\"./out/checkpoint-20\"", "\"/elsewhere/before/it/was/moved/checkpoint-20\"",
            "\"checkpoint-20/\"", "\"/home/j\\u00fcrgen/out/checkpoint-20\"",
        ])
    func bestOfTrainer(_ best: String) throws {
        for step in [10, 20, 30, 40, 50] {
            try save(step, files: ["trainer_state.json": Self.state(step: step, best: step < 20 ? "null" : best)])
        }
        try prune(2)
        #expect(try left == [20, 40, 50])
    }

    /// Each one calls itself the best. The newest one decides.
    @Test("a checkpoint that was the best only when it was saved is pruned")
    func formerBest() throws {
        for step in [10, 20, 30, 40] {
            try save(step, files: ["trainer_state.json": Self.state(step: step, best: "\"out/checkpoint-\(step)\"")])
        }
        try prune(2)
        #expect(try left == [30, 40])
    }

    /// The unproven one may be gone at the next start. Then the proven one decides.
    @Test("the best checkpoints named by the newest proven one and by an unproven newer one both stay")
    func twoOpinions() throws {
        for (step, best) in [(10, 10), (20, 20), (30, 20), (40, 20)] {
            try save(step, files: ["trainer_state.json": Self.state(step: step, best: "\"out/checkpoint-\(best)\"")])
        }
        try run.checkpoint(
            "checkpoint-50", ["trainer_state.json": Self.state(step: 50, best: "\"out/checkpoint-10\"")])
        try prune(1)
        #expect(try left == [10, 20, 40, 50])
    }

    @Test(
        "the best checkpoint is read from a trainer_state.json with a NaN or infinite loss",
        arguments: ["NaN", "Infinity", "-Infinity"])
    func lossNotANumber(_ loss: String) throws {
        for step in [10, 20, 30, 40] {
            try save(step, files: ["trainer_state.json": Self.state(step: step, best: "\"checkpoint-20\"", loss: loss)])
        }
        try prune(1)
        #expect(try left == [20, 40])
    }

    @Test("nothing is pruned when a trainer_state.json is too damaged to name the best")
    func unknownBest() throws {
        try save(10, 20)
        try run.checkpoint("checkpoint-30", ["trainer_state.json": "{\"best_model_check"])
        #expect(throws: Problem.self) { try prune(1) }
        #expect(try left == [10, 20, 30])
    }

    @Test("checkpoints of another lineage are not pruned")
    func otherLineage() throws {
        try save(10, 20, 30)
        try Lineage.begin("L2", in: run.folders, spec: run.spec())
        try prune(1, attempt: 2, lineage: "L2")
        #expect(try left == [10, 20, 30])
    }

    @Test("an agent whose run has a newer attempt prunes nothing")
    func formerOwner() throws {
        try save(10, 20)
        try run.attempt(2)
        #expect(throws: CancellationError.self) { try prune(1) }
        #expect(try left == [10, 20])
    }

    /// That folder may not be the run's.
    @Test("pruning deletes a link and leaves the folder that it leads to")
    func links() throws {
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
