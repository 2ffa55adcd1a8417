import Glibc
import Shared
import TestSupport
import Testing

/// A run that is cut off resumes from its newest checkpoint and ends with the same weights as one without a cut.
@Suite(.serialized, .timeLimit(.minutes(3))) struct ResumeTests {
    @Test("the run resumes from its newest checkpoint and ends with the same weights after SIGTERM of its pod")
    func terminated() async throws {
        try await Site.with { site in
            let trainer = try Trainer(at: site)
            try trainer.hold(at: 30)
            let first = try site.launch("run")
            try await trainer.isHeld(at: 30)
            let pod = try await site.pod(of: "chain")
            kill(pod[0], SIGTERM)
            #expect(try await first.end(within: .seconds(6)) == 143)
            try await site.isGone(pod)
            #expect(first.errors.contains("== chain: interrupted"))
            #expect(first.errors.contains("launch run, with the same config"))
            #expect(try await site.status("chain").state == "interrupted")

            try await resumes(from: 30, trainer)
        }
    }

    @Test("the run resumes from its newest checkpoint and ends with the same weights after a kill of its whole pod")
    func powerCut() async throws {
        try await Site.with { site in
            let trainer = try Trainer(at: site)
            try trainer.hold(at: 40)
            let first = try site.launch("run")
            try await trainer.isHeld(at: 40)
            try await first.prints("begins at step 0\n")
            try await site.cutPower("chain")
            #expect(try await first.end() == 70)
            #expect(first.errors.contains("== chain: lost"))
            #expect(try await site.status("chain").state == "lost")

            try await resumes(from: 40, trainer)
        }
    }

    /// Launches the run again. Checks that it resumes from `step` and ends with the weights of an undisturbed one.
    private func resumes(from step: Int, _ trainer: Trainer) async throws {
        let site = trainer.site
        try trainer.release(step)
        let second = try site.launch("run")
        try await second.check()
        let checkpoint = try site.folder("chain").work + "/checkpoints/checkpoint-\(step)"
        #expect(second.text.contains("RESUMING FROM: \(checkpoint)"))
        #expect(second.text.contains("\nbegins at step \(step)\n"))
        #expect(try trainer.weights() == (try await trainer.bareWeights()))
        let status = try await site.status("chain")
        #expect(status.state == "finished")
        #expect(status.attempts.map { $0.resumedFrom?.step } == [nil, step])
        let log = try site.log("chain")
        #expect(Array(log.suffix(second.output.count)) == second.output)
        #expect(log.text.ranges(of: "begins at step").count == 2)
    }

    @Test("launch run --force-restart begins at step 0 once, and no later attempt resumes from the old checkpoints")
    func forceRestart() async throws {
        try await Site.with { site in
            let trainer = try Trainer(at: site)
            let checkpoints = try site.folder("chain").work + "/checkpoints"
            try trainer.hold(at: 40)
            let old = try site.launch("run", environment: ["SEED": "old"])
            try await trainer.isHeld(at: 40)
            kill(try await site.pod(of: "chain")[0], SIGTERM)
            #expect(try await old.end() == 143)
            let oldWeights = try File.read("\(checkpoints)/checkpoint-40/weights")

            try trainer.hold(at: 20)
            let forced = try site.launch("run", "--force-restart", environment: ["SEED": "new"])
            try await trainer.isHeld(at: 20)
            try await forced.prints("begins at step 0\n")
            try await site.cutPower("chain")
            #expect(try await forced.end() == 70)
            #expect(
                forced.text.contains("FORCE RESTART: checkpoints ignored\nSTARTING FRESH\nbegins at step 0\n"))
            #expect(try File.list(checkpoints) == ["10", "20", "30", "40"].map { "checkpoint-\($0)" })
            #expect(try File.read("\(checkpoints)/checkpoint-40/weights") == oldWeights)

            // Two kills follow. The old lineage has a checkpoint with a higher step.
            for (step, next) in [(20, 30), (30, 50)] {
                try trainer.release(step)
                try trainer.hold(at: next)
                let again = try site.launch("run", environment: ["SEED": "new"])
                // The new lineage now overwrites the old checkpoint of step 40, which becomes its own.
                if next == 50 { try trainer.release(40) }
                try await trainer.isHeld(at: next)
                try await again.prints("begins at step \(step)\n")
                try await site.cutPower("chain")
                #expect(try await again.end() == 70)
                #expect(again.text.contains("/checkpoint-\(step)"))
                #expect(again.text.contains("\nbegins at step \(step)\n"))
                #expect(!again.text.contains("FORCE RESTART"))
            }
            try trainer.release(50)
            let last = try site.launch("run", environment: ["SEED": "new"])
            try await last.check()
            #expect(last.text.contains("begins at step 50\n"))
            #expect(try trainer.weights() == (try await trainer.bareWeights(seed: "new")))
        }
    }
}
