import Testing

@testable import Launcher

/// Valid keys whose feature is not built yet. When a feature is built, its line moves to `works`.
@Suite struct ConfigFeatureTests {
    @Test(
        "a config key whose feature is not built yet is refused with its line and a hint",
        arguments: [
            ("code.git", "code: {git: x}"),
            ("dependencies.overrides", "dependencies: {overrides: [x]}"),
            ("dependencies.environment: target", "dependencies: {environment: target}"),
            ("dependencies.environment: system", "dependencies: {environment: system}"),
            ("dependencies.installer: uv", "dependencies: {installer: uv}"),
            ("dependencies.cache: false", "dependencies: {cache: false}"),
            ("on_finish: keep", "on_finish: keep"),
            ("on_finish", "on_finish: {keep: 2h}"),
            ("disk_full", "disk_full: {pause: 1m}"),
            ("tensorboard", "tensorboard: {logdir: x}"),
            ("mirror", "mirror: {bucket: x}"),
        ])
    func refused(thing: String, yaml: String) throws {
        let error = try #require(throws: ConfigError.self) { try Config.reading("run: a\ncommand: x\n\(yaml)\n") }
        #expect(error.message == "\"\(thing)\" is not supported yet")
        #expect(error.place?.line == 3)
        #expect(error.hint?.hasPrefix("remove it") == true)
    }

    @Test(
        "a config key whose feature is built is accepted",
        arguments: [
            "provider: local", "tty: true", "secrets: [API_KEY]", "resources: {spot: false}", "resources: {}",
            "limits: {stall: none, cost: none}", "progress: (x)", "limits: {duration: 1h, setup: 10m, stall: auto}",
            "limits: {stall: 5m}", "retry: {crash: 1, preempted: unlimited, backoff: 1s}", "retry: {preempted: 3}",
            "logs: {segment: 1MB, keep: 1GB}", "notify: [https://x]", "on_finish: stop", "on_finish: terminate",
            "checkpoints: {path: x, keep: none}", "checkpoints: {path: x, keep: 2}",
            "checkpoints: {path: x, names: [last.ckpt]}",
            "dependencies: {installer: auto, cache: true, environment: venv}",
        ])
    func works(yaml: String) throws {
        _ = try Config.reading("run: a\ncommand: x\n\(yaml)\n")
    }

    private static let ofRentedPods = [
        "resources: {gpus: [x]}", "resources: {gpu_count: 1}", "resources: {order: price}", "resources: {cloud: any}",
        "resources: {max_price: 2.50}", "resources: {datacenters: [x]}", "resources: {min_cuda: 12.10}",
        "resources: {disk: 50}", "resources: {spot: prefer}", "resources: {ports: [22/tcp]}", "agent_port: 8000",
    ]
    private static let volumesOfRentedPods = [
        "resources: {volume: {network: x}}", "resources: {volume: {size: 50 GB}}",
        "resources: {volume: {mount: /x, size: 5}}",
    ]

    @Test("a rented pod takes every key of its resources", arguments: ofRentedPods + volumesOfRentedPods)
    func worksRented(yaml: String) throws {
        _ = try Config.reading("run: a\ncommand: x\nprovider: runpod\nimage: x@sha256:1\n\(yaml)\n")
    }

    @Test("a config for a rented pod is tried on this machine with a warning for each key", arguments: ofRentedPods)
    func hasNoEffectHere(yaml: String) throws {
        let config = try Config.reading("run: a\ncommand: x\n\(yaml)\n")
        #expect(config.warnings.map(\.place?.line) == [3])
        #expect(config.warnings.first?.message.contains("has no effect with") == true)
    }

    @Test("a volume of a rented pod is refused on this machine", arguments: volumesOfRentedPods)
    func noVolumeHere(yaml: String) throws {
        let error = try #require(throws: ConfigError.self) { try Config.reading("run: a\ncommand: x\n\(yaml)\n") }
        #expect(error.message.hasSuffix("is for rented pods only"))
    }
}
