import Glibc
import Shared
import TestSupport
import Testing

/// The training uses the real Trainer of transformers. Its pods are taken away, also inside saves.
///
/// `TRANSFORMERS_SEED` repeats an earlier run's moments.
@Suite(
    .serialized, .timeLimit(.minutes(20)),
    .enabled(if: Torture.isFull, "\"make torture\" runs it: it installs a gigabyte of packages")
)
struct TortureTransformersTests {
    private static let seed =
        ProcessEnvironment.all["TRANSFORMERS_SEED"].flatMap { Int($0) } ?? Int.random(in: 0..<1_000_000)
    private static let license = "\(Programs.package)/LICENSE"

    /// A pod that is taken away, and the checkpoints at that moment.
    private struct Loss {
        /// SIGTERM and SIGKILL 5 s later, as on spot markets; or SIGKILL of all processes at once.
        var signal: Int32
        /// The moment in a save, which is the first one if nothing was saved yet. nil: a random moment.
        var inSave: TransformersTraining.SaveMoment?
        /// The highest step of all checkpoints.
        var newest = 0
        /// The steps of the whole checkpoints.
        var whole: [Int] = []
        /// Whether a checkpoint had a receipt.
        var hasProven = false

        /// Whether the checkpoint with the highest step was incomplete.
        var isTorn: Bool { whole.last != newest }
    }

    @Test("a transformers training resumes from its newest whole checkpoint although saves are torn")
    func kills() async throws {
        try await Site.with { site in
            let training = try await TransformersTraining(
                at: site, steps: 400, text: try File.read(Self.license)[...], "", training: "--save_total_limit 3")
            print("transformers: TRANSFORMERS_SEED=\(Self.seed)")
            var generator = SeededGenerator(seed: Self.seed)
            var losses: [Loss] = []
            for loss in [
                Loss(signal: SIGKILL, inSave: .after("optimizer.pt")),
                Loss(signal: SIGKILL, inSave: .at("optimizer.pt")),
                Loss(signal: SIGTERM, inSave: .at("model.safetensors")),
                Loss(signal: SIGKILL),
                Loss(signal: SIGKILL, inSave: .after("optimizer.pt")),
                Loss(signal: SIGTERM),
            ] {
                let run = try training.agent.start()
                let begin = try await begins(losses, training, run)
                if losses.count == 1 {
                    try await eventuallyTrue("a receipt; \(run.errors)") { try !training.proven.isEmpty }
                }
                // A random moment has no condition to wait for.
                let later = Duration.milliseconds(Int.random(in: 0...2000, using: &generator))
                losses.append(try await take(run, by: loss, training, from: begin, later))
            }
            let last = try training.agent.start()
            _ = try await begins(losses, training, last)
            #expect(try await last.end(within: .seconds(200)) == 0, "\(last.errors)")
            try training.checkEnd()
            let torn = losses.filter(\.isTorn)
            for loss in torn { print("transformers: torn \(loss.newest), whole \(loss.whole)") }
            print("transformers: \(losses.count) pods taken away, \(torn.count) times the highest number was torn")
            #expect(torn.count >= 3)
            #expect(try File.list(training.agent.folder.torn).count == torn.count)
            // A start is unproven only if the first checkpoint was whole and had no receipt yet.
            let unproven = losses.count { !$0.hasProven && !$0.whole.isEmpty }
            #expect(try training.agent.log.split(separator: "(unproven)").count - 1 == unproven)
        }
    }

    /// Returns the step at which the training of the next attempt begins.
    private func begins(_ losses: [Loss], _ training: TransformersTraining, _ run: Running) async throws -> Int {
        let number = losses.count + 1
        let record = try await eventually("the training of attempt \(number); \(run.errors)") {
            try training.agent.record(number).flatMap { $0.state == .training ? $0 : nil }
        }
        #expect(record.resumedFrom?.step == losses.last?.whole.last, "TRANSFORMERS_SEED=\(Self.seed)")
        return record.resumedFrom?.step ?? 0
    }

    private func take(
        _ run: Running, by loss: Loss, _ training: TransformersTraining, from begin: Int, _ later: Duration
    ) async throws -> Loss {
        if begin > 0 || loss.inSave == nil {
            try await eventuallyTrue("a checkpoint after \(begin)", within: .seconds(60)) {
                (training.steps.last ?? 0) > begin
            }
        }
        let ofTraining = try await eventually("a training") {
            let others = ProcessStat.descendants(of: run.pid).map(\.pid).filter {
                (try? File.readLink("/proc/\($0)/exe"))?.hasSuffix("pod-agent") == false
            }
            return others.isEmpty ? nil : others
        }
        let processes = [run.pid] + ProcessStat.descendants(of: run.pid).map(\.pid)
        if let moment = loss.inSave {
            let newest = training.steps.last ?? 0
            try await training.site.freeze(ofTraining, at: "a save \(moment)", within: .seconds(60)) {
                training.isSaving(moment, after: newest)
            }
        } else {
            try await Task.sleep(for: later)
        }
        if loss.signal == SIGTERM {
            run.send(SIGTERM)
            for process in ofTraining { kill(process, SIGCONT) }
            // All are gone before the SIGKILL that comes after 5 s.
            try await training.site.isGone(processes, within: .seconds(5))
        } else {
            for process in processes { kill(process, SIGSTOP) }
            for process in processes { kill(process, SIGKILL) }
            try await training.site.isGone(processes)
        }
        try await run.end()
        var loss = loss
        loss.newest = try #require(training.steps.last)
        loss.whole = training.steps.filter(training.isWhole)
        loss.hasProven = try !training.proven.isEmpty
        #expect(loss.signal == SIGKILL || !loss.isTorn, "a save was cut by a SIGTERM")
        return loss
    }

    /// The model learns its small text by heart, so its best checkpoint is an early one.
    @Test("checkpoints.keep never deletes the checkpoint that transformers calls best")
    func bestCheckpoint() async throws {
        try await Site.with { site in
            var training = try await TransformersTraining(
                at: site, steps: 300, text: try File.read(Self.license)[..<3000],
                "--eval_strategy steps --eval_steps \(TransformersTraining.interval) --load_best_model_at_end")
            training.agent.spec.checkpoints?.keep = 2
            let first = try training.agent.start()
            let pruned = "PRUNED: \(training.checkpoint(TransformersTraining.interval))\n"
            try await eventuallyTrue("the first one is deleted", within: .seconds(60)) {
                try training.agent.log.contains(pruned)
            }
            first.send(SIGTERM)
            #expect(try await first.end(within: .seconds(5)) == 143)
            let second = try training.agent.start()
            #expect(try await second.end(within: .seconds(200)) == 0, "\(second.errors)")

            struct State: Decodable { var best_model_checkpoint: String }
            let steps = training.steps
            let state = try File.read("\(training.checkpoint(try #require(steps.last)))/trainer_state.json")
            let best = try JSON.decode(State.self, from: state).best_model_checkpoint
            let step = try #require(CheckpointFolder.step(in: best))
            print("transformers: kept \(steps), of which \(step) is the best")
            #expect(!steps.suffix(2).contains(step), "it is the best and not one of the newest")
            #expect(steps.contains(step) && training.isWhole(step))
            // The agent keeps checkpoints of the last seconds, which may have no receipt yet.
            #expect(steps.first == step && steps.count <= 7)
            try training.checkEnd()
        }
    }
}
