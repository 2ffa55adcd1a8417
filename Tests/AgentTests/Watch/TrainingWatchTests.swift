import Shared
import Synchronization
import TestSupport
import Testing

@testable import Agent

@Suite struct TrainingWatchTests {
    private let tail = OutputTail()
    private let steps = Monitor<[Double]>([])

    private func watch(_ stall: Limits.Stall) throws -> Task<Double?, Never> {
        let steps = steps
        let watch = TrainingWatch(
            progress: try ProgressFollower(tail: tail, pattern: nil), stall: stall, saves: nil
        ) { step in
            steps.update { $0.append(step) }
        }
        return Task { await watch.run() }
    }

    private func tell(_ step: Double) async throws {
        tail.append(Array("step \(step)\n".utf8)[...])
        try await eventuallyTrue(within: .seconds(60)) { steps.read { $0.last } == step }
    }

    @Test("the watch of a training notes each step and returns when the training stalls")
    func stall() async throws {
        let task = try watch(.after(.seconds(0.5)))
        for step in [1.0, 2, 3] { try await tell(step) }
        let still = try await within(.seconds(60)) { await task.value }
        #expect(try #require(still) > 0.5)
    }

    @Test("the watch of a training reports no stall when it is cancelled")
    func cancelled() async throws {
        let task = try watch(.none)
        try await tell(1)
        task.cancel()
        #expect(try await within(.seconds(60)) { await task.value } == nil)
    }

    @Test("a training whose step stands still is not stalled while a progress bar moves")
    func evaluation() async throws {
        let task = try watch(.after(.seconds(2.5)))
        for step in [1.0, 2, 3] { try await tell(step) }
        let start = ContinuousClock.now
        for batch in 1...6 {
            tail.append(Array("\rEval: | \(batch)/6 [".utf8)[...])
            try await Task.sleep(for: .seconds(1))
        }
        _ = try #require(try await within(.seconds(60)) { await task.value })
        #expect(start.duration(to: .now) > .seconds(7))
    }
}
