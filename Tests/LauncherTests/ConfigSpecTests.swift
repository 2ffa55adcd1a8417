import Foundation
import Shared
import Testing

@testable import Launcher

/// The spec that the launcher makes of a config for the agent.
@Suite struct ConfigSpecTests {
    private func spec(_ yaml: String = "") throws -> RunSpec {
        try Config.reading("run: a\ncommand: x\n\(yaml)\n").spec(
            project: "p", code: nil, volume: "/v", launch: LaunchOrder(id: "L1"))
    }

    @Test("the spec has default limits, retries and logs if the config names none")
    func defaults() throws {
        let spec = try spec()
        #expect(spec.limits.setup == .seconds(1800))
        #expect(spec.limits.duration == nil)
        #expect(spec.limits.stall == .none)
        #expect(spec.retry == RetryPolicy(crash: 2, backoff: .seconds(10)))
        #expect(spec.progress == nil)
        #expect(spec.logs == LogRule(segment: 8 << 20, keep: 4 << 30))
    }

    @Test("the spec takes limits, retries, progress and logs from the config")
    func values() throws {
        let spec = try spec(
            """
            progress: 'it (\\d+)/'
            limits: {setup: 10m, duration: 2d, stall: 90s}
            retry: {crash: 0, backoff: 1m30s}
            logs: {segment: 1MB, keep: 2GB}
            """)
        #expect(spec.limits.setup == .seconds(600))
        #expect(spec.limits.duration == .seconds(172_800))
        #expect(spec.limits.stall == .after(.seconds(90)))
        #expect(spec.retry == RetryPolicy(crash: 0, backoff: .seconds(90)))
        #expect(spec.logs == LogRule(segment: 1 << 20, keep: 2 << 30))
        #expect(spec.progress == #"it (\d+)/"#)
    }

    /// The URLs may hold secrets, and the spec is written to the volume.
    @Test("the spec holds no URL of notify, and a printed order shows only their hosts")
    func notify() throws {
        #expect(try spec("notify: [https://example.com/secret]") == spec())
        let order = PodOrder(
            spec: try spec(), place: .folder("/v"),
            notify: ["https://example.com:8/secret?a=b#c", "http://x", "https://x?token=secret"])
        #expect(order.redacted.notify == ["https://example.com:8/…", "http://x/…", "https://x/…"])
        #expect(order.redacted.spec == order.spec)
    }

    @Test("the spec takes on_finish from the config")
    func onFinish() throws {
        #expect(try spec().onFinish == nil)
        #expect(try spec("on_finish: stop").onFinish == .stop)
        #expect(try spec("on_finish: terminate").onFinish == .terminate)
        // Unset keys stay out of the JSON, so they do not change a run's fingerprint.
        #expect(try !JSON.text(spec()).contains("onFinish"))
        #expect(try !JSON.text(spec()).contains("cost"))
    }

    @Test("the spec takes checkpoints.keep from the config, and \"none\" leaves it out")
    func keep() throws {
        #expect(try spec("checkpoints: {path: x, keep: 2}").checkpoints == CheckpointRule(path: "x", keep: 2))
        #expect(try spec("checkpoints: {path: x, keep: none}").checkpoints == CheckpointRule(path: "x"))
        #expect(try !JSON.text(spec("checkpoints: {path: x}")).contains("\"keep\":null"))
    }

    @Test("the spec takes checkpoints.names from the config, and an empty list leaves it out")
    func fixedNames() throws {
        let rule = try spec("checkpoints: {path: x, keep: 1, names: [last.ckpt, final_model]}").checkpoints
        #expect(rule == CheckpointRule(path: "x", keep: 1, names: ["last.ckpt", "final_model"]))
        // An empty list stays out of the JSON, so it does not change a run's fingerprint.
        #expect(try !JSON.text(spec("checkpoints: {path: x, names: []}")).contains("names"))
    }

    @Test("the spec takes an automatic stall limit and unlimited retries from the config")
    func unlimited() throws {
        #expect(try spec("limits: {stall: auto}").limits.stall == .auto)
        #expect(try spec("retry: {crash: unlimited}").retry.crash == nil)
    }

    @Test(
        "a spec with limits, retries and a price survives a round trip through JSON",
        arguments: [Limits.Stall.none, .auto, .after(.seconds(90.5))])
    func roundTrip(_ stall: Limits.Stall) throws {
        var spec = try spec()
        spec.limits.setup = .milliseconds(100)
        spec.limits.duration = .seconds(5)
        spec.limits.cost = Money(dollars: 12.34567)
        spec.limits.stall = stall
        spec.onFinish = .terminate
        spec.diskFull = .stop
        // A whole number of milliseconds: JSON keeps no more of a time.
        spec.launch = LaunchOrder(id: "L1", price: 2.49, bought: Date(timeIntervalSince1970: 1_800_000_000.5))
        spec.retry = RetryPolicy(crash: nil, backoff: .seconds(0.5))
        #expect(try JSON.decode(RunSpec.self, from: try JSON.encode(spec)) == spec)
    }
}
