import Foundation
import Shared
import Testing

@testable import Agent

@Suite struct NoticeTests {
    private static let claim = Claim(
        number: 3, pod: "pod-1", launch: "L1", lineage: "L1", logStart: 0, stream: "s", processes: [],
        claimed: Date(timeIntervalSince1970: 1_800_000_000))

    private func record(_ state: AttemptState, _ outcome: Outcome? = nil) throws -> AttemptRecord {
        var record = AttemptRecord(claim: Self.claim, run: try #require(RunID("digits")), spec: "")
        record.state = state
        record.outcome = outcome
        record.step = 120
        return record
    }

    private func event(
        _ before: (AttemptState, Outcome?), _ after: (AttemptState, Outcome?)
    ) throws -> Notice.Event? {
        Notice.Event(from: try record(before.0, before.1), to: try record(after.0, after.1))
    }

    private static let failed = Outcome(.failed, exit: .code(3))

    @Test("a notice is sent for the end, an interruption and a stall of an attempt")
    func sent() throws {
        #expect(try event((.finishing, Self.failed), (.ended, Self.failed)) == .end)
        #expect(try event((.waiting, Self.failed), (.ended, Self.failed)) == .end)
        #expect(try event((.finishing, Outcome(.stalled)), (.ended, Outcome(.stalled))) == .end)
        #expect(try event((.training, nil), (.training, Outcome(.interrupted))) == .interruption)
        #expect(try event((.syncing, nil), (.syncing, Outcome(.interrupted))) == .interruption)
        #expect(try event((.training, nil), (.training, Outcome(.stalled))) == .stall)
    }

    @Test("no notice is sent for other changes, nor twice for the same one")
    func notSent() throws {
        #expect(try event((.claiming, nil), (.syncing, nil)) == nil)
        #expect(try event((.training, nil), (.finishing, Self.failed)) == nil)
        #expect(try event((.finishing, Self.failed), (.waiting, Self.failed)) == nil)
        // A notice of each of them was sent before.
        let interrupted = Outcome(.interrupted, exit: .code(0))
        #expect(try event((.training, Outcome(.interrupted)), (.finishing, interrupted)) == nil)
        #expect(try event((.finishing, interrupted), (.ended, interrupted)) == nil)
        #expect(try event((.training, Outcome(.stalled)), (.finishing, Outcome(.stalled))) == nil)
        #expect(try event((.ended, Self.failed), (.ended, Self.failed)) == nil)
        #expect(try event((.claiming, nil), (.waiting, Outcome(.stalled))) == nil)
        #expect(try event((.claiming, nil), (.finishing, Outcome(.interrupted))) == nil)
    }

    @Test("a notice is JSON with the outcome, the exit code and a sentence")
    func json() throws {
        var record = try record(.ended, Outcome(.failed, exit: .signal(9), message: "it failed 3 times"))
        record.step = 120.5
        let notice = Notice(.end, of: record, at: Date(timeIntervalSince1970: 1_800_000_060))
        #expect(
            try JSON.text(notice, pretty: true) == """
                {
                  "attempt" : 3,
                  "class" : "failed",
                  "event" : "end",
                  "exitCode" : 137,
                  "launch" : "L1",
                  "message" : "it failed 3 times",
                  "pod" : "pod-1",
                  "run" : "digits",
                  "step" : 120.5,
                  "text" : "digits: failed (attempt 3, exit code 137): it failed 3 times",
                  "time" : "2027-01-15T08:01:00.000Z"
                }
                """)
        let setup = Notice(.end, of: try self.record(.ended, Outcome(.setupFailed)), at: Date())
        #expect(setup.exitCode == 73)
        let interruption = Notice(.interruption, of: try self.record(.training, Outcome(.interrupted)), at: Date())
        #expect(interruption.exitCode == nil)
        #expect(interruption.text == "digits: interruption (attempt 3)")
        let gate = Notice(.failedGate, of: try self.record(.finishing, Self.failed), message: "why", at: Date())
        #expect(gate.message == "why")
        #expect(try JSON.text(gate).contains(#""event":"failed-gate""#))
    }
}
