import Shared
import TestSupport
import Testing

@testable import Agent

/// A launch that continues others, because the provider took their pods away.
@Suite struct ContinuedLaunchTests {
    private let run: TestRun

    init() throws { run = try TestRun() }

    /// The claim of launch L2, which continues L0 and L1. Their pods are proven to have ended.
    private func claim() async throws -> (ClaimingTests.Answer, Claim?) {
        var spec = run.spec(launch: "L2", supersedes: ["other"])
        spec.launch.continues = ["L0", "L1"]
        let claiming = Claiming(run: run.folders, spec: spec, pod: "new", processes: [])
        let result = try await within(.seconds(20), "a claim") { try await claiming.claim { Issue.record("\($0)") } }
        return (ClaimingTests.Answer(result), try run.folders.claims().last)
    }

    @Test("a launch continues the lineage of a preempted one")
    func preempted() async throws {
        try run.attempt(1, lineage: "first", state: .ended, outcome: Outcome(.interrupted))
        let (answer, claim) = try await claim()
        #expect(answer == .owned(2) && claim?.lineage == "first")
    }

    @Test("a launch that continues one that is over does not train", arguments: ["L0", "L1"])
    func over(_ launch: String) async throws {
        try run.attempt(1, launch: launch, state: .ended, outcome: Outcome(.finished, exit: .code(0)))
        #expect(try await claim().0 == .over(Outcome(.finished, exit: .code(0))))
    }

    @Test("a launch finishes one whose training had ended before its pod was taken away")
    func finishing() async throws {
        try run.attempt(1, state: .finishing, outcome: Outcome(.finished, exit: .code(0)))
        #expect(try await claim().0 == .finishing(2, Outcome(.finished, exit: .code(0))))
    }

    @Test("a launch claims nothing once a user's newer launch took the run over")
    func newer() async throws {
        try run.attempt(1, state: .ended, outcome: Outcome(.interrupted))
        try run.attempt(2, launch: "U", state: .ended, outcome: Outcome(.finished, exit: .code(0)))
        #expect(try await claim().0 == .over(nil))
    }

    @Test("pods that vanish without a word are no crashes, however many")
    func vanished() async throws {
        for number in 1...6 { try run.attempt(number, launch: "L\(number % 2)", state: .training) }
        #expect(try await claim().0 == .owned(7))
        #expect(try run.folders.readRecord(6)?.outcome?.kind == .interrupted)
    }
}
