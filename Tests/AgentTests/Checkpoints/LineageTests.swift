import Shared
import Testing

@testable import Agent

/// The checkpoints that a forced launch leaves out.
@Suite struct LineageTests {
    private let run: TestRun

    init() throws { run = try TestRun() }

    /// Claims under `spec` and returns the claim's lineage.
    private func claim(_ spec: RunSpec) async throws -> String {
        // The earlier attempt is of the same pod, so the claim does not wait for its heartbeat.
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

    @Test("a launch without force continues the lineage and its checkpoints")
    func withoutForce() async throws {
        #expect(try await claim(run.spec(launch: "L1")) == "L1")
        try run.checkpoint("checkpoint-10")
        #expect(try await claim(run.spec(launch: "L1")) == "L1")
        #expect(try await claim(run.spec(launch: "L2")) == "L1")
        #expect(try newest("L1") == 10)
    }

    @Test("a forced launch begins a lineage that leaves out the checkpoints it found")
    func forced() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10")
        #expect(try await claim(run.spec(launch: "L2", force: true)) == "L2")
        #expect(try newest("L2") == nil)
        try run.checkpoint("checkpoint-5")
        #expect(try newest("L2") == 5)
        // It leaves nothing out.
        #expect(try newest("L1") == 5)
    }

    @Test("a first launch that is forced leaves out the checkpoints it found")
    func forcedFirst() async throws {
        try run.checkpoint("checkpoint-10")
        #expect(try await claim(run.spec(launch: "L1", force: true)) == "L1")
        #expect(try newest("L1") == nil)
    }

    @Test("a forced launch begins a new lineage once, and not again after a restart of its pod")
    func oncePerLaunch() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10")
        let forced = run.spec(launch: "L2", force: true)
        #expect(try await claim(forced) == "L2")
        try run.checkpoint("checkpoint-5")
        // The pod was restarted: a checkpoint that the launch itself saved stays a candidate.
        #expect(try await claim(forced) == "L2")
        #expect(try newest("L2") == 5)
        #expect(try await claim(run.spec(launch: "L3")) == "L2")
        #expect(try await claim(run.spec(launch: "L4", force: true)) == "L4")
        #expect(try newest("L4") == nil)
    }

    @Test("an older checkpoint joins the new lineage once all its files are saved again")
    func overwritten() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10", ["model": "m", "state": "s"])
        _ = try await claim(run.spec(launch: "L2", force: true))
        try run.checkpoint("checkpoint-10", ["model": "new"])
        #expect(try newest("L2") == nil, "half of it is still the old one")
        try run.checkpoint("checkpoint-10", ["state": "new"])
        #expect(try newest("L2") == 10)
    }

    /// Only the times of its files differ.
    @Test("an older checkpoint that is saved again with the same bytes joins the new lineage")
    func sameBytes() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10")
        _ = try await claim(run.spec(launch: "L2", force: true))
        try run.checkpoint("checkpoint-10")
        #expect(try newest("L2") == 10)
    }

    @Test("a file added to an older checkpoint does not bring it into the new lineage")
    func addedFile() async throws {
        _ = try await claim(run.spec(launch: "L1"))
        try run.checkpoint("checkpoint-10", ["model": "m"])
        _ = try await claim(run.spec(launch: "L2", force: true))
        try run.checkpoint("checkpoint-10", ["extra": "x"])
        #expect(try newest("L2") == nil)
        try File.removeTree("\(run.folders.work)/out/checkpoint-10")
        try run.checkpoint("checkpoint-10", ["model": "new", "extra": "x"])
        #expect(try newest("L2") == 10)
    }

    @Test("a lineage that begins a second time before its claim leaves out the checkpoints found then")
    func beginsAgain() throws {
        try run.checkpoint("checkpoint-10")
        try Lineage.begin("L2", in: run.folders, spec: run.spec())
        try run.checkpoint("checkpoint-20")
        try Lineage.begin("L2", in: run.folders, spec: run.spec())
        #expect(try newest("L2") == nil)
    }

    @Test("a lineage leaves nothing out when it never began or the config has no checkpoints")
    func withoutRule() throws {
        try Lineage.begin("L2", in: run.folders, spec: run.spec(checkpoints: nil))
        #expect(try Lineage.load("L2", in: run.folders) == .first)
        #expect(try Lineage.load("never", in: run.folders) == .first)
    }
}
