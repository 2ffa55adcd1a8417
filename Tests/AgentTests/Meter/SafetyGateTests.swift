import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(1))) struct SafetyGateTests {
    private let run: TestRun
    private let preempted = Promise<Void>()

    init() throws { run = try TestRun() }

    private func gate(
        _ rule: CheckpointRule? = CheckpointRule(path: "out"), evidence: Receipt.Evidence? = .exit
    ) throws -> SafetyGate {
        SafetyGate(receipts: try run.receipts(rule)) { _ in evidence }
    }

    @Test func theNewestGetsItsReceipt() async throws {
        try run.checkpoint("checkpoint-9")
        try run.checkpoint("checkpoint-10", ["model": "m", "state": "s"])
        #expect(try await gate().check(preempted: preempted) == nil)
        let receipts = try run.folders.allReceipts()
        #expect(receipts.map(\.name) == ["checkpoint-10"])
        #expect(receipts.first?.evidence == .exit)
        #expect(receipts.first?.files.map(\.sha256) == ["m", "s"].map { SHA256Digest(of: $0).description })
        // From now on the receipt is what it is held against.
        #expect(try await gate(evidence: nil).check(preempted: preempted) == nil)
    }

    @Test func noneAndNoneNamed() async throws {
        #expect(try await gate().check(preempted: preempted) == nil)
        #expect(try await gate(nil).check(preempted: preempted) == nil)
    }

    @Test func withoutEvidenceItIsNotProven() async throws {
        try run.checkpoint("checkpoint-10")
        let path = "\(run.folders.work)/out/checkpoint-10"
        #expect(
            try await gate(evidence: nil).check(preempted: preempted)
                == "nothing tells that the save of \(path) had ended")
        #expect(try run.folders.allReceipts() == [])
    }

    @Test func theFilesOfAnEarlierOneAreEvidence() async throws {
        try run.checkpoint("checkpoint-9")
        #expect(try await gate().check(preempted: preempted) == nil)
        try run.checkpoint("checkpoint-10")
        #expect(try await gate(evidence: nil).check(preempted: preempted) == nil)
        #expect(try run.folders.allReceipts().map(\.evidence) == [.exit, .sameFiles])
    }

    @Test func whatContradictsItsFormatIsNotProven() async throws {
        try run.checkpoint("checkpoint-10", ["model": "m", "state.json": "{"])
        let doubt = try #require(try await gate().check(preempted: preempted))
        #expect(doubt.contains("checkpoint-10: state.json: "))
        #expect(try run.folders.allReceipts() == [])
    }

    /// As on a disk that returns other bytes: neither size nor time tells.
    @Test func otherBytesAreNotProven() async throws {
        try run.checkpoint("checkpoint-10", ["model": "m"])
        #expect(try await gate().check(preempted: preempted) == nil)
        try run.corrupt("checkpoint-10", "model")
        let doubt = try #require(try await gate().check(preempted: preempted))
        #expect(doubt.hasSuffix("checkpoint-10: model has other bytes than its receipt"))
    }

    /// Nobody writes to it any more, and to open it would wait for ever.
    @Test func aPipeAmongTheFilesIsNone() async throws {
        try run.checkpoint("checkpoint-10")
        try Errno.check { mkfifo("\(run.folders.work)/out/checkpoint-10/pipe", 0o600) }
        #expect(try await gate().check(within: .seconds(5), preempted: preempted) == nil)
    }

    /// As on a volume that has lost it: the lineage's file cannot be read.
    @Test func whatCannotBeReadIsNotProven() async throws {
        try run.checkpoint("checkpoint-10")
        try File.makeFolders(run.folders.lineagePath("L1"))
        let doubt = try #require(try await gate().check(preempted: preempted))
        #expect(doubt.contains("L1.json"))
    }

    /// The lineage's file is a pipe that nobody writes to, so that whoever reads it stays there, as on a hung volume.
    private func hang() throws -> String {
        let path = run.folders.lineagePath("L1")
        try run.checkpoint("checkpoint-10")
        try File.makeFolders(path.parentFolder)
        try Errno.check { mkfifo(path, 0o600) }
        return path
    }

    @Test func aVolumeThatHangsIsLeftBehind() async throws {
        let path = try hang()
        #expect(
            try await gate().check(within: .milliseconds(200), preempted: preempted)
                == "the volume did not answer within 0 s")
        close(open(path, O_WRONLY | O_NONBLOCK))
    }

    @Test func thereIsNoTimeOnceThePodIsTakenAway() async throws {
        let path = try hang()
        let gate = try gate()
        let check = Task { [preempted] in await gate.check(preempted: preempted) }
        preempted.fulfil(())
        #expect(await check.value == "there was no time for it")
        close(open(path, O_WRONLY | O_NONBLOCK))
    }
}
