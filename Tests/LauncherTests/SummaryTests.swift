import Foundation
import Shared
import Testing

@testable import Launcher

/// The exact summary that `launch` prints at the end of a run.
@Suite struct SummaryTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld()
        run = try test.run()
    }

    private func text() async throws -> String {
        try Summary(of: try await test.view(run)).text.replacing(run.folder.path, with: "RUN")
    }

    @Test("the summary of a finished run shows duration, attempts, checkpoints, work tree and log")
    func finished() async throws {
        let claim = try run.claim()
        try run.record(claim) {
            $0.outcome = .finished
            $0.checkpoints = CheckpointCount(
                count: 3, newest: CheckpointReference(step: 300, path: "\(run.folder.work)/out/checkpoint-300"))
            $0.enter(.finishing, at: RunFixture.began + 60)
            $0.enter(.ended, at: RunFixture.began + 61.5)
        }
        #expect(
            try await text() == """

                == demo: finished, exit code 0
                  duration     1 min 01 s, of it 1 min 00 s of training
                  attempts     1
                  checkpoints  3, the newest of step 300: RUN/work/out/checkpoint-300
                  work tree    RUN/work
                  log          RUN/logs

                """)
    }

    @Test("the summary of a killed run names the signal")
    func killed() async throws {
        let record = try run.end(try run.claim(), Outcome(.failed, exit: .signal(9)), after: 7_800)
        #expect(record.checkpoints == nil)
        #expect(
            try await text() == """

                == demo: failed, ended by signal 9
                  duration   2 h 10 min, of it 2 h 09 min of training
                  attempts   1
                  work tree  RUN/work
                  log        RUN/logs

                """)
    }

    @Test("the summary of an interrupted run says how to continue it")
    func interrupted() async throws {
        let claim = try run.claim()
        try run.record(claim) {
            $0.outcome = Outcome(.interrupted, exit: .code(0))
            $0.checkpoints = CheckpointCount(count: 0, newest: nil)
            $0.enter(.ended, at: RunFixture.began + 59.95)
        }
        #expect(
            try await text() == """

                == demo: interrupted, exit code 0
                  duration     59.9 s, of it 58.9 s of training
                  attempts     1
                  checkpoints  none
                  work tree    RUN/work
                  log          RUN/logs
                  resume       launch run, with the same config

                """)
    }

    @Test("the summary of a lost run names its record and how to resume it")
    func lost() async throws {
        try run.record(try run.claim(process: .dead()))
        #expect(
            try await text() == """

                == demo: lost; the pod is gone and left no record of its end
                  duration   1.0 s, of it 0.0 s of training
                  attempts   1
                  work tree  RUN/work
                  log        RUN/logs
                  resume     launch run, with the same config

                """)
    }

    @Test("the summary of a run that was lost before any record has no duration")
    func lostBeforeAnyRecord() async throws {
        try run.claim(process: .dead())
        #expect(
            try await text() == """

                == demo: lost; the pod is gone and left no record of its end
                  duration   unknown
                  attempts   0
                  work tree  RUN/work
                  log        RUN/logs
                  resume     launch run, with the same config

                """)
    }

    @Test("the summary of a failed setup shows the reason")
    func setupFailed() async throws {
        var record = AttemptRecord(claim: try run.claim(), run: run.id, spec: "spec")
        record.outcome = Outcome(.setupFailed, message: "pip could not install \"torhc\"")
        record.enter(.installing, at: RunFixture.began + 1)
        record.enter(.ended, at: RunFixture.began + 3.5)
        try File.write(try JSON.encode(record), over: run.folder.recordPath(1))
        #expect(
            try await text() == """

                == demo: setup-failed: pip could not install "torhc"
                  duration   3.5 s, of it 0.0 s of training
                  attempts   1
                  work tree  RUN/work
                  log        RUN/logs

                """)
    }

    @Test("the summary counts the attempts of the last launch and of the whole run")
    func attempts() async throws {
        try run.end(try run.claim(1, launch: "launch-1"), Outcome(.stopped), after: 1_000)
        try run.end(try run.claim(2, launch: "launch-2"), Outcome(.interrupted), after: 10)
        try run.end(try run.claim(3, launch: "launch-2"), .finished, after: 20)
        let text = try await text()
        #expect(text.contains("\n  attempts   2 of this launch, 3 in all\n"))
        #expect(text.contains("\n  duration   20.0 s, of it 28.0 s of training\n"))
    }

    @Test("the summary shows the cost of the last launch and of the whole run")
    func cost() async throws {
        try run.record(try run.claim(1, launch: "launch-1")) {
            $0.bill = Bill(price: 2, billedBefore: 0)
            $0.lasted(1800)
            $0.outcome = .finished
            $0.enter(.ended, at: RunFixture.began + 1800)
        }
        #expect(try await text().contains("\n  cost       1.00 USD\n"))
        try run.record(try run.claim(2, launch: "launch-2")) {
            $0.bill = Bill(price: 3.6, billedBefore: 50)
            $0.lasted(50)
            $0.outcome = .finished
            $0.enter(.ended, at: RunFixture.began + 50)
        }
        #expect(try await text().contains("\n  cost       0.10 USD of this launch, 1.10 USD in all\n"))
    }

    @Test(
        "an amount of dollars is shown with two decimals, and with four if it is below a cent",
        arguments: [
            (0, "0.00 USD"), (0.00004, "0.0000 USD"), (0.0042, "0.0042 USD"), (0.1, "0.10 USD"), (1, "1.00 USD"),
            (1.005, "1.00 USD"), (12.499, "12.50 USD"), (1234.5, "1234.50 USD"), (-0.5, "-0.50 USD"),
        ])
    func dollars(amount: Double, text: String) {
        #expect(Dollars.text(amount) == text)
    }

    /// Over all launches: whether a training saves on a signal does not depend on the launch.
    @Test("the summary counts over the whole run how often the training saved on a signal")
    func savesOnSignal() async throws {
        for (number, saved) in [true, nil, false, true, true].enumerated() {
            try run.record(try run.claim(number + 1, launch: "launch-\(number)")) {
                $0.outcome = Outcome(.interrupted)
                $0.death = Death()
                $0.death?.savedOnSignal = saved
                $0.enter(.ended, at: RunFixture.began + 60)
            }
        }
        #expect(try await text().contains("\n  save on signal  3 of 4\n"))
        let report = try RunReport(of: try await test.view(run))
        #expect(report.text.contains("\nsave on signal  3 of 4\n"))
        #expect(try JSON.text(report).contains(#""savesOnSignal":{"asked":4,"saved":3}"#))
    }

    @Test(
        "a duration is shown in seconds, minutes or hours",
        arguments: [
            (0, "0.0 s"), (0.09, "0.0 s"), (31.4, "31.4 s"), (59.9, "59.9 s"), (59.99, "59.9 s"), (60, "1 min 00 s"),
            (245, "4 min 05 s"), (3_599.9, "59 min 59 s"), (3_600, "1 h 00 min"), (7_800, "2 h 10 min"),
            (360_000, "100 h 00 min"),
            // The clock was set back in between.
            (-0.5, "0.0 s"), (-100, "0.0 s"),
        ])
    func clock(seconds: Double, text: String) {
        #expect(Format.clock(seconds) == text)
    }
}
