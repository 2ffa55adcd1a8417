import Foundation
import Shared
import TestSupport
import Testing

@testable import Launcher

/// The report that `launch status` prints. Scripts read its JSON.
@Suite struct RunReportTests {
    private let test: TestWorld
    private let run: RunFixture

    init() throws {
        test = try TestWorld()
        run = try test.run()
        try run.log("0123456789")
    }

    private func report() async throws -> RunReport { try RunReport(of: try await test.view(run)) }

    private func made() throws {
        let claim = try run.claim(logStart: 4)
        try run.record(claim) {
            $0.outcome = Outcome(.failed, exit: .signal(9), message: "out of memory")
            $0.resumedFrom = CheckpointReference(step: 100, path: "/w/checkpoint-100")
            $0.checkpoints = CheckpointCount(
                count: 2, newest: CheckpointReference(step: 200, path: "/w/checkpoint-200"))
            $0.enter(.ended, at: RunFixture.began + 2.25)
        }
        test.provider.add(.made(run: run, isRunning: false, address: "http://127.0.0.1:1"))
    }

    @Test("launch status and the summary show a checkpoint with a fixed name by that name")
    func fixedName() async throws {
        let last = CheckpointReference(step: nil, path: "/w/out/last.ckpt")
        try run.record(try run.claim()) {
            $0.outcome = Outcome(.failed, exit: .code(1))
            $0.resumedFrom = last
            $0.checkpoints = CheckpointCount(count: 1, newest: last)
            $0.enter(.ended, at: RunFixture.began + 2.25)
            $0.death = Death()
        }
        let text = try await report().text
        #expect(text.contains("\nresumed     last.ckpt\n") && text.contains("\n  resumed from last.ckpt\n"))
        #expect(text.contains("\n  newest checkpoint: last.ckpt\n"))
        let summary = try Summary(of: try await test.view(run)).text
        #expect(summary.contains("  checkpoints  1, the newest /w/out/last.ckpt\n"))
    }

    @Test("launch status --json has what the newest launch did to the user's files")
    func notes() async throws {
        try run.claim()
        #expect(try await report().notes == nil)
        let order = LaunchOrder(id: "L2", notes: ["left out of the code: .env"] + (1...30).map { "note \($0)" })
        try run.spec(RunSpec(run: run.id, project: "p", command: .exec(["t"]), volume: "/v", launch: order))
        let notes = try await report().notes
        #expect(notes?.count == 20 && notes?.first == "left out of the code: .env")
    }

    @Test("launch status --json prints the run, its pod and its attempts")
    func json() async throws {
        try made()
        let text = try JSON.text(try await report(), pretty: true).replacing(test.home, with: "HOME")
        #expect(
            text == """
                {
                  "attempts" : [
                    {
                      "checkpoints" : {
                        "count" : 2,
                        "newest" : {
                          "path" : "/w/checkpoint-200",
                          "step" : 200
                        }
                      },
                      "launch" : "launch-1",
                      "lineage" : "launch-1",
                      "logStart" : 4,
                      "number" : 1,
                      "outcome" : {
                        "class" : "failed",
                        "exit" : {
                          "signal" : 9
                        },
                        "message" : "out of memory"
                      },
                      "phases" : [
                        {
                          "began" : "2027-01-15T08:00:00.000Z",
                          "state" : "claiming"
                        },
                        {
                          "began" : "2027-01-15T08:00:01.000Z",
                          "state" : "training"
                        },
                        {
                          "began" : "2027-01-15T08:00:02.250Z",
                          "state" : "ended"
                        }
                      ],
                      "pod" : "pod-1",
                      "resumedFrom" : {
                        "path" : "/w/checkpoint-100",
                        "step" : 100
                      },
                      "run" : "demo",
                      "spec" : "spec",
                      "state" : "ended"
                    }
                  ],
                  "isLive" : false,
                  "logEnd" : 10,
                  "logs" : "HOME/volume/runs/demo/logs",
                  "pod" : {
                    "address" : "http://127.0.0.1:1",
                    "id" : "pod-1",
                    "isRunning" : false
                  },
                  "run" : "demo",
                  "state" : "failed",
                  "volume" : "HOME/volume",
                  "work" : "HOME/volume/runs/demo/work"
                }
                """)
    }

    @Test("launch status shows state, pod, reason, exit code, checkpoint and log of a run")
    func text() async throws {
        try made()
        #expect(
            try await report().text.replacing(test.home, with: "HOME") == """
                run         demo
                state       failed
                pod         pod-1 (gone)
                attempt     1
                reason      out of memory
                exit code   137
                resumed     step 100
                checkpoint  /w/checkpoint-200
                log         HOME/volume/runs/demo/logs (10 bytes)

                """)
    }

    @Test("launch status lists every attempt of a run with several")
    func severalAttempts() async throws {
        try run.end(try run.claim(1), Outcome(.agentCrash))
        try run.record(try run.claim(2)) {
            $0.outcome = Outcome(.failed, exit: .code(3), message: "it failed 3 times without a new checkpoint")
            $0.enter(.ended, at: RunFixture.began + 2)
            $0.death = Death()
            $0.death?.lines = ["ValueError: x"]
        }
        test.provider.add(.made(run: run, isRunning: false, address: "http://127.0.0.1:1"))
        let text = try await report().text
        #expect(
            text.hasSuffix(
                """
                 bytes)

                attempt 1: agent-crash
                attempt 2: failed, exit code 3
                  reason: it failed 3 times without a new checkpoint
                  phases: claiming 1.0 s, training 1.0 s
                  last lines:
                    ValueError: x

                """), "\(text)")
    }

    /// The record of a live attempt is as old as its last change of state. Its heartbeats are newer.
    @Test("launch status shows the cost of a live run up to its last heartbeat")
    func costSoFar() async throws {
        try run.record(try run.claim(1)) {
            $0.bill = Bill(price: 2.5, billedBefore: 600)
            $0.lasted(3)
        }
        let beat = Beat(count: 600, at: RunFixture.began + 3000, seconds: 3000, step: nil)
        try File.replace(run.folder.beatPath(1), with: try JSON.encode(beat))
        test.provider.add(.made(run: run))
        let report = try await report()
        #expect(report.cost == 2.5)
        #expect(report.text.contains("\ncost     2.50 USD, at 2.50 USD an hour\n"))
        #expect(try JSON.text(report).contains(#""cost":2.5,"#))
    }

    @Test("launch status shows the step of a live attempt as its last heartbeat has it", arguments: [true, false])
    func liveStep(isOver: Bool) async throws {
        try run.record(try run.claim(1)) {
            $0.step = 3
            if isOver { $0.enter(.ended, at: RunFixture.began + 2) }
        }
        let beat = Beat(count: 4, at: RunFixture.began + 20, seconds: 20, step: 120)
        try File.replace(run.folder.beatPath(1), with: try JSON.encode(beat))
        test.provider.add(.made(run: run))
        let report = try await report()
        #expect(report.attempts.last?.step == (isOver ? 3 : 120))
        #expect(report.text.contains(isOver ? "\nstep     3\n" : "\nstep     120\n"), "\(report.text)")
    }

    @Test("launch status shows the pod of a run that has no attempt yet")
    func starting() async throws {
        test.provider.add(.made(run: run))
        #expect(
            try await report().text.replacing(test.home, with: "HOME") == """
                run    demo
                state  starting
                pod    pod-1
                log    HOME/volume/runs/demo/logs (10 bytes)

                """)
    }
}
