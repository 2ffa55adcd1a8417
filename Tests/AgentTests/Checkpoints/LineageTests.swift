import Shared
import Testing

@testable import Agent

/// Which checkpoints a forced launch leaves out, and that it does so once.
@Suite struct LineageTests {
    private let run: TestRun

    init() throws { run = try TestRun() }

    /// Claims under `spec` and returns the claim's lineage.
    private func claim(_ spec: RunSpec) async throws -> String {
        // The earlier attempt is a former life of the same pod.
        let claiming = Claiming(run: run.folders, spec: spec, pod: "p", processes: [])
        guard case .owned(let claim) = try await claiming.claim(waiting: { _ in }) else {
            throw Problem("not claimed")
        }
        return claim.lineage
    }

    private func newest(_ lineage: String) throws -> Int? {
        var claim = Claim.test(99, logStart: 0)
        claim.lineage = lineage
        return try Receipts(of: run.spec(), in: run.folders, for: claim)?.count().newest?.step
    }

    @Test func withoutForceTheLineageGoesOn() async throws {
        #expect(try await claim(run.spec(launch: "L1")) == "L1")
        try run.checkpoint("checkpoint-10")
        #expect(try await claim(run.spec(launch: "L1")) == "L1")
        #expect(try await claim(run.spec(launch: "L2")) == "L1")
        #expect(try newest("L1") == 10)
    }

    @Test func whatAForcedLaunchFoundIsNoCandidate() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10")
        #expect(try await claim(run.spec(launch: "L2", force: true)) == "L2")
        #expect(try newest("L2") == nil)
        try run.checkpoint("checkpoint-5")
        #expect(try newest("L2") == 5)
        #expect(try newest("L1") == 10)
    }

    @Test func theFirstLaunchOfAllMayBeForcedToo() async throws {
        try run.checkpoint("checkpoint-10")
        #expect(try await claim(run.spec(launch: "L1", force: true)) == "L1")
        #expect(try newest("L1") == nil)
    }

    @Test func itActsOncePerLaunch() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10")
        let forced = run.spec(launch: "L2", force: true)
        #expect(try await claim(forced) == "L2")
        try run.checkpoint("checkpoint-5")
        // The pod was restarted: what the launch itself saved stays a candidate.
        #expect(try await claim(forced) == "L2")
        #expect(try newest("L2") == 5)
        #expect(try await claim(run.spec(launch: "L3")) == "L2")
        #expect(try await claim(run.spec(launch: "L4", force: true)) == "L4")
        #expect(try newest("L4") == nil)
    }

    @Test func overwrittenAsAWholeItIsTheNewLineages() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10", ["model": "m", "state": "s"])
        _ = try await claim(run.spec(launch: "L2", force: true))
        try run.checkpoint("checkpoint-10", ["model": "new"])
        #expect(try newest("L2") == nil, "half of it is still the old one")
        try run.checkpoint("checkpoint-10", ["state": "new"])
        #expect(try newest("L2") == 10)
    }

    /// The same size and content, saved again: only the time tells.
    @Test func theSameBytesSavedAgainAreNew() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10")
        _ = try await claim(run.spec(launch: "L2", force: true))
        try run.checkpoint("checkpoint-10")
        #expect(try newest("L2") == 10)
    }

    @Test func aFileThatWasAddedMakesItNoNewer() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10", ["model": "m"])
        _ = try await claim(run.spec(launch: "L2", force: true))
        try run.checkpoint("checkpoint-10", ["extra": "x"])
        #expect(try newest("L2") == nil)
        try File.removeTree("\(run.folders.work)/out/checkpoint-10")
        try run.checkpoint("checkpoint-10", ["model": "new", "extra": "x"])
        #expect(try newest("L2") == 10)
    }

    @Test func beforeTheClaimItMayBeginAgain() throws {
        try run.checkpoint("checkpoint-10")
        try Lineage.begin("L2", in: run.folders, spec: run.spec())
        try run.checkpoint("checkpoint-20")
        try Lineage.begin("L2", in: run.folders, spec: run.spec())
        #expect(try newest("L2") == nil)
    }

    @Test func withoutARuleThereIsNothingToNote() throws {
        try Lineage.begin("L2", in: run.folders, spec: run.spec(checkpoints: nil))
        #expect(try Lineage.load("L2", in: run.folders) == .first)
        #expect(try Lineage.load("never", in: run.folders) == .first)
    }
}
