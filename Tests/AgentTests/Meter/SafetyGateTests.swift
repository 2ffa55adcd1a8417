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

    @Test("the safety gate writes the receipt of the newest checkpoint and lets the pod go")
    func newest() async throws {
        try run.checkpoint("checkpoint-9")
        try run.checkpoint("checkpoint-10", ["model": "m", "state": "s"])
        #expect(try await gate().check(preempted: preempted) == nil)
        let receipts = try run.folders.allReceipts()
        #expect(receipts.map(\.name) == ["checkpoint-10"])
        #expect(receipts.first?.evidence == .exit)
        #expect(receipts.first?.files.map(\.sha256) == ["m", "s"].map { SHA256Digest(of: $0).description })
        // From now on the checkpoint is compared with that receipt.
        #expect(try await gate(evidence: nil).check(preempted: preempted) == nil)
    }

    @Test("the safety gate lets a pod go whose run has no checkpoint")
    func noCheckpoint() async throws {
        #expect(try await gate().check(preempted: preempted) == nil)
        #expect(try await gate(nil).check(preempted: preempted) == nil)
    }

    @Test("the safety gate fails when nothing shows that the newest save had ended")
    func noEvidence() async throws {
        try run.checkpoint("checkpoint-10")
        let path = "\(run.folders.work)/out/checkpoint-10"
        #expect(
            try await gate(evidence: nil).check(preempted: preempted)
                == "nothing tells that the save of \(path) had ended")
        #expect(try run.folders.allReceipts() == [])
    }

    @Test("the safety gate proves a checkpoint with the same files as a proven one")
    func sameFiles() async throws {
        try run.checkpoint("checkpoint-9")
        #expect(try await gate().check(preempted: preempted) == nil)
        try run.checkpoint("checkpoint-10")
        #expect(try await gate(evidence: nil).check(preempted: preempted) == nil)
        #expect(try run.folders.allReceipts().map(\.evidence) == [.exit, .sameFiles])
    }

    @Test("the safety gate fails when a file of the newest checkpoint is damaged")
    func damaged() async throws {
        try run.checkpoint("checkpoint-10", ["model": "m", "state.json": "{"])
        let reason = try #require(try await gate().check(preempted: preempted))
        #expect(reason.contains("checkpoint-10: state.json: "))
        #expect(try run.folders.allReceipts() == [])
    }

    /// A disk may return other bytes while size and time stay the same.
    @Test("the safety gate fails when a file holds other bytes than its receipt says")
    func otherBytes() async throws {
        try run.checkpoint("checkpoint-10", ["model": "m"])
        #expect(try await gate().check(preempted: preempted) == nil)
        try run.corrupt("checkpoint-10", "model")
        let reason = try #require(try await gate().check(preempted: preempted))
        #expect(reason.hasSuffix("checkpoint-10: model has other bytes than its receipt"))
    }

    @Test("the safety gate does not wait for a pipe among the files of a checkpoint")
    func pipe() async throws {
        try run.checkpoint("checkpoint-10")
        try Errno.check { mkfifo("\(run.folders.work)/out/checkpoint-10/pipe", 0o600) }
        #expect(try await gate().check(within: .seconds(5), preempted: preempted) == nil)
    }

    @Test("the safety gate fails when the lineage's file cannot be read")
    func unreadable() async throws {
        try run.checkpoint("checkpoint-10")
        try File.makeFolders(run.folders.lineagePath("L1"))
        let reason = try #require(try await gate().check(preempted: preempted))
        #expect(reason.contains("L1.json"))
    }

    private var pipe: String { "\(run.folders.path)/pipe" }

    /// Returns a gate whose proof hangs as on a hung volume: it opens a pipe without a writer.
    private func hangingGate() throws -> SafetyGate {
        try run.checkpoint("checkpoint-10")
        try Errno.check { mkfifo(pipe, 0o600) }
        return SafetyGate(receipts: try run.receipts(CheckpointRule(path: "out"))) { [pipe] _ in
            close(open(pipe, O_RDONLY))
            return nil
        }
    }

    private func release() { close(open(pipe, O_WRONLY | O_NONBLOCK)) }

    @Test("the safety gate fails at its timeout when the volume hangs")
    func hangingVolume() async throws {
        defer { release() }
        #expect(
            try await hangingGate().check(within: .milliseconds(200), preempted: preempted)
                == "the volume did not answer within 0 s")
    }

    @Test("the safety gate fails at once when the pod is being preempted")
    func noTime() async throws {
        defer { release() }
        let gate = try hangingGate()
        let check = Task { [preempted] in await gate.check(preempted: preempted) }
        preempted.fulfil(())
        #expect(await check.value == "there was no time for it")
    }
}
