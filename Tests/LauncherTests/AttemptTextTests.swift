import Foundation
import Shared
import Testing

@testable import Launcher

/// The text of one screen that explains the end of an attempt.
@Suite struct AttemptTextTests {
    private let run: RunFixture
    private let test: TestWorld

    init() throws {
        test = try TestWorld()
        run = try test.run()
    }

    private func text(_ change: (inout AttemptRecord) -> Void) throws -> AttemptText {
        AttemptText(attempt: try run.record(try run.claim(3), change))
    }

    @Test("the text on an attempt's end shows all that its record holds")
    func full() throws {
        let text = try text {
            $0.outcome = Outcome(.stalled, exit: .signal(6), message: "no new step for 600 s")
            $0.step = 1250
            $0.lasted(3725)
            $0.resumedFrom = CheckpointReference(step: 1000, path: "c")
            $0.checkpoints = CheckpointCount(count: 2, newest: CheckpointReference(step: 1200, path: "c"))
            $0.enter(.finishing, at: RunFixture.began + 3661)
            $0.enter(.ended, at: RunFixture.began + 3725)
            var death = Death()
            death.lines = ["step 1249", "step 1250"]
            death.lostSteps = 50
            death.savedOnSignal = false
            death.secondsAfterSignal = 5.25
            var teardown = TeardownReport(asked: RunFixture.began + 3655, startedAfter: 0.01)
            teardown.recordedAfter = 0.25
            teardown.signals = [
                .init(after: 0.02, number: 6, target: .training, processes: 1),
                .init(after: 5.01, number: 15, target: .tree, processes: 3),
                .init(after: 10, number: 9, target: .tree, processes: 2),
                .init(after: 65, number: 10, target: .tree, processes: 2),
            ]
            teardown.goneAfter = 65.5
            death.teardown = teardown
            death.outOfMemoryKills = 1
            death.disks = [
                .init(path: "/workspace", size: 50_000_000_000, free: 1_250_000_000),
                .init(path: "/", size: 2000, free: 999),
            ]
            death.stall = ["pid 7 state S: python train.py", "  waits in futex_wait"]
            $0.death = death
        }
        #expect(
            text.lines.joined(separator: "\n") == """
                attempt 3: stalled, ended by signal 6, after 1 h 02 min, at step 1250
                  reason: no new step for 600 s
                  phases: claiming 1.0 s, training 1 h 01 min, finishing 1 min 04 s
                  resumed from step 1000
                  newest checkpoint: step 1200, 50 steps lost
                  ended 5.2 s after the request, and did not save
                    0.0 s       taken on
                    0.0 s       SIGABRT to the training, 1 process
                    0.2 s       on record
                    5.0 s       SIGTERM to all of it, 3 processes
                    10.0 s      SIGKILL to all of it, 2 processes
                    1 min 05 s  signal 10 to all of it, 2 processes
                    1 min 05 s  all gone
                  killed for lack of memory: 1
                  disk /workspace: 1.3 GB free of 50.0 GB
                  disk /: 999 B free of 2.0 kB
                  during the stall:
                    pid 7 state S: python train.py
                      waits in futex_wait
                  last lines:
                    step 1249
                    step 1250
                """)
    }

    @Test("the text on an attempt's end leaves out what its record lacks")
    func short() throws {
        let text = try text {
            $0.outcome = Outcome(.failed, exit: .code(3))
            $0.step = 1.25
            $0.enter(.ended, at: RunFixture.began + 3)
            $0.death = Death()
        }
        #expect(
            text.lines == [
                "attempt 3: failed, exit code 3, at step 1.25", "  phases: claiming 1.0 s, training 2.0 s",
            ])
    }

    @Test("an attempt in one line shows its state or outcome, exit code and duration")
    func oneLine() throws {
        #expect(try text { _ in }.line == "attempt 3: training")
        #expect(try text { $0.outcome = Outcome(.agentCrash) }.line == "attempt 3: agent-crash")
        #expect(
            try text {
                $0.outcome = .finished
                $0.lasted(12.34)
            }.line == "attempt 3: finished, exit code 0, after 12.3 s")
    }
}
