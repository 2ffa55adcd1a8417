import Foundation
import Shared
import Testing

@testable import Launcher

/// What of the config the agent is told.
@Suite struct ConfigSpecTests {
    private func spec(_ yaml: String = "") throws -> RunSpec {
        try Config.reading("run: a\ncommand: x\n\(yaml)\n").spec(
            project: "p", code: nil, volume: "/v", launch: LaunchOrder(id: "L1"))
    }

    @Test func whatIsNotSaid() throws {
        let spec = try spec()
        #expect(spec.limits == Limits(setup: 1800, duration: nil, stall: .none))
        #expect(spec.retry == RetryPolicy(crash: 2, backoff: 10))
        #expect(spec.progress == nil)
        #expect(spec.logs == LogRule(segment: 8 << 20, keep: 4 << 30))
    }

    @Test func whatIsSaid() throws {
        let spec = try spec(
            """
            progress: 'it (\\d+)/'
            limits: {setup: 10m, duration: 2d, stall: 90s}
            retry: {crash: 0, backoff: 1m30s}
            logs: {segment: 1MB, keep: 2GB}
            """)
        #expect(spec.limits == Limits(setup: 600, duration: 172_800, stall: .after(seconds: 90)))
        #expect(spec.retry == RetryPolicy(crash: 0, backoff: 90))
        #expect(spec.logs == LogRule(segment: 1 << 20, keep: 2 << 30))
        #expect(spec.progress == #"it (\d+)/"#)
    }

    /// Their URLs may hold secrets, and the spec is kept on the volume.
    @Test func theURLsOfNotifyAreNotPartOfTheSpec() throws {
        #expect(try spec("notify: [https://example.com/secret]") == spec())
        let order = PodOrder(
            spec: try spec(), notify: ["https://example.com:8/secret?a=b#c", "http://x", "https://x?token=secret"])
        #expect(order.redacted.notify == ["https://example.com:8/…", "http://x/…", "https://x/…"])
        #expect(order.redacted.spec == order.spec)
    }

    @Test func theEndOfThePod() throws {
        #expect(try spec().onFinish == nil)
        #expect(try spec("on_finish: stop").onFinish == .stop)
        #expect(try spec("on_finish: terminate").onFinish == .terminate)
        // As a spec had it before there were such keys: a run that has finished is still the same one.
        #expect(try !JSON.text(spec()).contains("onFinish"))
        #expect(try !JSON.text(spec()).contains("cost"))
    }

    @Test func checkpointsToKeep() throws {
        #expect(try spec("checkpoints: {path: x, keep: 2}").checkpoints == CheckpointRule(path: "x", keep: 2))
        #expect(try spec("checkpoints: {path: x, keep: none}").checkpoints == CheckpointRule(path: "x"))
        #expect(try !JSON.text(spec("checkpoints: {path: x}")).contains("\"keep\":null"))
    }

    @Test func fixedNames() throws {
        let rule = try spec("checkpoints: {path: x, keep: 1, names: [last.ckpt, final_model]}").checkpoints
        #expect(rule == CheckpointRule(path: "x", keep: 1, names: ["last.ckpt", "final_model"]))
        // A run without any is still the same one.
        #expect(try !JSON.text(spec("checkpoints: {path: x, names: []}")).contains("names"))
    }

    @Test func withoutEnd() throws {
        #expect(try spec("limits: {stall: auto}").limits.stall == .auto)
        #expect(try spec("retry: {crash: unlimited}").retry.crash == nil)
    }

    @Test(arguments: [Limits.Stall.none, .auto, .after(seconds: 90.5)])
    func itTravels(_ stall: Limits.Stall) throws {
        var spec = try spec()
        spec.limits = Limits(setup: nil, duration: 5, cost: 12.34567, stall: stall)
        spec.onFinish = .terminate
        // To the millisecond, as times are written.
        spec.launch = LaunchOrder(id: "L1", price: 2.49, bought: Date(timeIntervalSince1970: 1_800_000_000.5))
        spec.retry = RetryPolicy(crash: nil, backoff: 0.5)
        #expect(try JSON.decode(RunSpec.self, from: try JSON.encode(spec)) == spec)
    }
}
