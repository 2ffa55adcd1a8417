import Testing

@testable import Launcher

/// Valid keys whose feature is not built yet. When a feature is built, its line moves to `works`.
@Suite struct ConfigFeatureTests {
    @Test(
        "a config key whose feature is not built yet is refused with its line and a hint",
        arguments: [
            ("provider: runpod", "image: x\nprovider: runpod"),
            ("code.git", "code: {git: x}"),
            ("dependencies.environment: target", "dependencies: {environment: target}"),
            ("dependencies.environment: system", "dependencies: {environment: system}"),
            ("dependencies.installer: uv", "dependencies: {installer: uv}"),
            ("dependencies.cache: false", "dependencies: {cache: false}"),
            ("resources.gpus", "resources: {gpus: [x]}"),
            ("resources.gpu_count", "resources: {gpu_count: 1}"),
            ("resources.order", "resources: {order: price}"),
            ("resources.cloud", "resources: {cloud: any}"),
            ("resources.spot: prefer", "resources: {spot: prefer}"),
            ("resources.max_price", "resources: {max_price: 2.50}"),
            ("resources.datacenters", "resources: {datacenters: [x]}"),
            ("resources.min_cuda", "resources: {min_cuda: 12.10}"),
            ("resources.disk", "resources: {disk: 50}"),
            ("resources.ports", "resources: {ports: [22/tcp]}"),
            ("resources.volume.network", "resources: {volume: {network: x}}"),
            ("resources.volume.size", "resources: {volume: {size: 50 GB}}"),
            ("resources.volume.mount", "resources: {volume: {mount: /x, size: 5}}"),
            ("retry.preempted: 3", "retry: {preempted: 3}"),
            ("on_finish: keep", "on_finish: keep"),
            ("on_finish", "on_finish: {keep: 2h}"),
            ("disk_full", "disk_full: {pause: 1m}"),
            ("agent_port", "agent_port: 8000"),
            ("tensorboard", "tensorboard: {logdir: x}"),
            ("mirror", "mirror: {bucket: x}"),
        ])
    func refused(thing: String, yaml: String) throws {
        let error = try #require(throws: ConfigError.self) { try Config.reading("run: a\ncommand: x\n\(yaml)\n") }
        // The image is refused before the provider that it is for.
        let expected = thing == "provider: runpod" ? "image" : thing
        #expect(error.message == "\"\(expected)\" is not supported yet")
        #expect(error.place?.line == 3)
        #expect(error.hint?.hasPrefix("remove it") == true)
    }

    @Test(
        "a config key whose feature is built is accepted",
        arguments: [
            "provider: local", "tty: true", "secrets: [API_KEY]", "resources: {spot: false}", "resources: {}",
            "limits: {stall: none, cost: none}", "progress: (x)", "limits: {duration: 1h, setup: 10m, stall: auto}",
            "limits: {stall: 5m}", "retry: {crash: 1, preempted: unlimited, backoff: 1s}",
            "logs: {segment: 1MB, keep: 1GB}", "notify: [https://x]", "on_finish: stop", "on_finish: terminate",
            "checkpoints: {path: x, keep: none}", "checkpoints: {path: x, keep: 2}",
            "checkpoints: {path: x, names: [last.ckpt]}",
            "dependencies: {installer: auto, cache: true, environment: venv}",
        ])
    func works(yaml: String) throws {
        _ = try Config.reading("run: a\ncommand: x\n\(yaml)\n")
    }
}
