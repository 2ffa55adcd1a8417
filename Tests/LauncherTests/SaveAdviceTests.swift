import Foundation
import Shared
import Testing

@testable import Launcher

/// The advice on how often to save. The expected numbers are calculated by hand.
@Suite struct SaveAdviceTests {
    @Test(
        "the best interval between saves is √(2 × time of a save × time between interruptions)",
        arguments: [
            // √(2 × 50 × 10 000) = √1 000 000
            (50, 30_000, 3, 1000),
            // √(2 × 2 × 3600) = √14 400
            (2, 3600, 1, 120),
            // One second is the shortest save that a scan can measure: √(2 × 1 × 7200) = √14 400
            (0.3, 14_400, 2, 120),
            (nil, 3600, 1, nil), (5, 3600, 0, nil), (nil, 0, 0, nil),
        ] as [(Double?, Double, Int, Double?)])
    func best(_ save: Double?, _ training: Double, _ interruptions: Int, _ expected: Double?) {
        let advice = SaveAdvice(save: save, interval: nil, interruptions: interruptions, training: training)
        #expect(advice.best == expected)
    }

    @Test(
        "the advice on how often to save shows its formula, or why there is none",
        arguments: [
            (
                SaveAdvice(save: 50, interval: 1800, interruptions: 3, training: 30_000),
                "save every 16 min 40 s = √(2 × 50.0 s for a save × 2 h 46 min between interruptions); "
                    + "3 interruptions in 8 h 20 min of training; now it is every 30 min 00 s"
            ),
            (
                SaveAdvice(save: 0.3, interval: nil, interruptions: 1, training: 7200),
                "save every 2 min 00 s = √(2 × at most 1 s for a save × 2 h 00 min between interruptions); "
                    + "1 interruption in 2 h 00 min of training"
            ),
            // √(2 × 40 × 60) = 69.3 s, which is more than the 60 s that a training lasts.
            (
                SaveAdvice(save: 40, interval: nil, interruptions: 2, training: 120),
                "the saves take too long for so many interruptions: 40.0 s each, 1 min 00 s between interruptions "
                    + "(2 interruptions in 2 min 00 s of training); make them shorter"
            ),
            (
                SaveAdvice(save: 40, interval: 60, interruptions: 0, training: 7800),
                "how often to save cannot be told: no interruption in 2 h 10 min of training"
            ),
            (
                SaveAdvice(save: nil, interval: nil, interruptions: 2, training: 120),
                "how often to save cannot be told: no save was timed yet"
            ),
        ])
    func text(_ advice: SaveAdvice, _ expected: String) {
        #expect(advice.text == expected)
    }

    // MARK: From a run

    private static let start = RunFixture.began

    /// Makes an attempt that trained from 10 to `end` seconds after its claim, or still trains if `end` is nil.
    private func attempt(_ kind: OutcomeClass?, until end: Double?, trains: Bool = true) throws -> AttemptRecord {
        let claim = Claim(
            number: 1, pod: "p", launch: "l", lineage: "l", logStart: 0, stream: "s", processes: [], claimed: Self.start
        )
        var record = AttemptRecord(claim: claim, run: try #require(RunID("a")), spec: "")
        if trains { record.enter(.training, at: Self.start + 10) }
        record.outcome = kind.map { Outcome($0) }
        if let end {
            record.enter(.finishing, at: Self.start + end)
            record.enter(.ended, at: Self.start + end + 100)
        }
        return record
    }

    private func checkpoint(
        _ attempt: Int, at seconds: Double, took: Double?, isProven: Bool = true
    ) -> CheckpointList.Checkpoint {
        let receipt = Receipt(
            of: CheckpointReference(step: 1, path: "/c"), attempt: attempt, lineage: "l", evidence: .laterStep,
            proven: Self.start, boot: "b", files: [])
        return CheckpointList.Checkpoint(
            step: 1, path: "/c", size: 1, saved: Self.start + seconds, age: nil, saveSeconds: took, lineage: "l",
            isProven: isProven, difference: nil, receipt: isProven ? receipt : nil)
    }

    @Test("the advice on how often to save counts interruptions and training time over all attempts")
    func attempts() throws {
        let attempts = [
            try attempt(.interrupted, until: 110), try attempt(.failed, until: 60), try attempt(.agentCrash, until: 40),
            // These count as no interruption: ended on purpose, before the training, or not ended yet.
            try attempt(.stopped, until: 30), try attempt(.finished, until: 20), try attempt(.overLimit, until: 15),
            try attempt(.setupFailed, until: 50, trains: false), try attempt(.interrupted, until: nil),
        ]
        let checkpoints = [
            checkpoint(1, at: 100, took: 3), checkpoint(1, at: 160, took: 9), checkpoint(1, at: 240, took: nil),
            checkpoint(2, at: 900, took: 4), checkpoint(2, at: 910, took: 1, isProven: false),
        ]
        let advice = SaveAdvice(checkpoints: checkpoints, attempts: attempts, at: Self.start + 12)
        // 100 + 50 + 30 + 20 + 10 + 5 + 0 + 2
        #expect(advice == SaveAdvice(save: 4, interval: 70, interruptions: 3, training: 217))
    }

    /// The end of a lost attempt is not on record, so its last sign of life counts as the training's end.
    @Test("the advice on how often to save counts a lost attempt as interrupted at its last sign of life")
    func lostAttempt() throws {
        let attempts = [try attempt(.interrupted, until: 110), try attempt(nil, until: nil)]
        let lost = Self.start + 60
        let advice = SaveAdvice(checkpoints: [], attempts: attempts, lost: lost, at: Self.start + 200_000)
        #expect(advice == SaveAdvice(save: nil, interval: nil, interruptions: 2, training: 150))
    }

    @Test("the advice on how often to save ignores fixed names when it measures the interval")
    func fixedNames() throws {
        var fixed = checkpoint(1, at: 101, took: 3)
        fixed.step = nil
        let checkpoints = [checkpoint(1, at: 100, took: 3), fixed, checkpoint(1, at: 160, took: 3)]
        #expect(SaveAdvice(checkpoints: checkpoints, attempts: [], at: Self.start).interval == 60)
    }

    @Test("the advice on how often to save is empty without attempts and checkpoints")
    func nothing() {
        let advice = SaveAdvice(checkpoints: [], attempts: [], at: Self.start)
        #expect(advice == SaveAdvice(save: nil, interval: nil, interruptions: 0, training: 0))
    }
}
