import Glibc
import Shared
import TestSupport
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(1))) struct SafetyGateTests {
    private let run: TestRun
    private let hurry = Promise<Void>()

    init() throws { run = try TestRun() }

    private func gate(_ rule: CheckpointRule? = CheckpointRule(path: "out")) -> SafetyGate {
        let spec = run.spec(checkpoints: rule)
        return SafetyGate(
            run: run.folders, lineage: "L1", checkpoints: CheckpointFolder(of: spec, in: run.folders))
    }

    @Test func whatIsThereIsBroughtToStableStorage() async throws {
        try run.checkpoint("checkpoint-10", ["model": "m", "state": "s"])
        #expect(await gate().check(hurry: hurry) == nil)
    }

    @Test func noneAndNoneNamed() async {
        #expect(await gate().check(hurry: hurry) == nil)
        #expect(await gate(nil).check(hurry: hurry) == nil)
    }

    /// Nobody writes to it any more, and to open it would wait for ever.
    @Test func aPipeAmongTheFilesIsNone() async throws {
        try run.checkpoint("checkpoint-10")
        try Errno.check { mkfifo("\(run.folders.work)/out/checkpoint-10/pipe", 0o600) }
        #expect(await gate().check(within: .seconds(5), hurry: hurry) == nil)
    }

    /// As on a volume that has lost it: the lineage's file cannot be read.
    @Test func whatCannotBeReadIsNotProven() async throws {
        try run.checkpoint("checkpoint-10")
        try File.makeFolders(run.folders.lineage("L1"))
        let doubt = try #require(await gate().check(hurry: hurry))
        #expect(doubt.contains("L1.json"))
    }

    /// The lineage's file is a pipe that nobody writes to, so that whoever reads it stays there, as on a hung volume.
    private func hang() throws -> String {
        let path = run.folders.lineage("L1")
        try run.checkpoint("checkpoint-10")
        try File.makeFolders(path.parentFolder)
        try Errno.check { mkfifo(path, 0o600) }
        return path
    }

    @Test func aVolumeThatHangsIsLeftBehind() async throws {
        let path = try hang()
        #expect(
            await gate().check(within: .milliseconds(200), hurry: hurry) == "the volume did not answer within 0 s")
        close(open(path, O_WRONLY | O_NONBLOCK))
    }

    @Test func thereIsNoTimeOnceThePodIsTakenAway() async throws {
        let path = try hang()
        let gate = gate()
        let check = Task { [hurry] in await gate.check(hurry: hurry) }
        hurry.keep(())
        #expect(await check.value == "there was no time for it")
        close(open(path, O_WRONLY | O_NONBLOCK))
    }
}
