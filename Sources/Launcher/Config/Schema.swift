internal import Shared

/// The keys of a config with their forms and defaults. Rules that join several keys are in `Config+Check.swift`.
extension Config {
    /// nil where something is wrong: the reader knows what.
    init?(reading top: Section, paths: Paths) {
        let run = top.required("run", .runID)
        provider = top.get("provider", .choice()) ?? .local
        image = top.get("image", .text)
        let command = top.required("command", .command)
        resume = top.get("resume", .command)
        workdir = top.get("workdir", .workdir) ?? "."
        code = top.get("code", .code(paths))
        install = top.get("dependencies", .section(Install.init))
        checkpoints = top.get("checkpoints", .section { CheckpointRule(reading: $0) })
        progress = top.get("progress", .progress)
        env = top.get("env", .env) ?? [:]
        secrets = top.get("secrets", .secrets) ?? [:]
        tty = top.get("tty", .truth) ?? false
        resources = top.get("resources", .section { Resources(reading: $0, paths: paths) }) ?? Resources()
        limits = top.get("limits", .section(Limits.init)) ?? Limits()
        retry = top.get("retry", .section(Retry.init)) ?? Retry()
        onFinish = top.get("on_finish", .onFinish)
        diskFull = top.get("disk_full", .diskFull) ?? .pause(.seconds(30 * 60))
        logs = top.get("logs", .section(LogRule.init)) ?? LogRule()
        agentPort = top.get("agent_port", .number(1...65535)) ?? 8000
        tensorboard = top.get("tensorboard", .section { $0.required("logdir", .text) })
        notify = top.get("notify", .list(of: .notifyURL)) ?? []
        mirror = top.get("mirror", .section(Mirror.init))
        folder = paths.folder
        guard let run, let command else { return nil }
        self.run = run
        self.command = command
    }
}

extension Config.Install {
    init?(reading section: Section) {
        requirements = section.get("requirements", .list(of: .treePath)) ?? []
        overrides = section.get("overrides", .list(of: .text)) ?? []
        environment = section.get("environment", .choice()) ?? .venv
        installer = section.get("installer", .choice()) ?? .auto
        python = section.get("python", .text) ?? "python3"
        cache = section.get("cache", .truth) ?? true
        checkImports = section.get("check_imports", .list(of: .module)) ?? []
    }
}

extension CheckpointRule {
    fileprivate init?(reading section: Section) {
        let path = section.required("path", .checkpointPath)
        let pattern = section.get("pattern", .namePattern) ?? "checkpoint-*"
        let keep = section.get("keep", Form.number(1 ... .max).map(Optional.some).or("none", nil)) ?? nil
        let names = section.get("names", .list(of: .fileName)) ?? []
        guard let path else { return nil }
        self = CheckpointRule(path: path, pattern: pattern, keep: keep, names: names.isEmpty ? nil : names)
    }
}

extension Config.Resources {
    init?(reading section: Section, paths: Paths) {
        gpus = section.get("gpus", .list(of: .text)) ?? []
        gpuCount = section.get("gpu_count", .number(1...64)) ?? 1
        order = section.get("order", .choice()) ?? .listed
        cloud = section.get("cloud", .choice()) ?? .secure
        spot = section.get("spot", Form.truth.map { $0 ? .yes : .no }.or("prefer", .prefer)) ?? .no
        maxPrice = section.get("max_price", .money)
        datacenters = section.get("datacenters", .list(of: .text)) ?? []
        minCUDA = section.get("min_cuda", .cudaVersion)
        disk = section.get("disk", .gigabytes) ?? 50
        ports = section.get("ports", .list(of: .port)) ?? []
        volume = section.get("volume", .volume(paths))
    }
}

extension Config.Limits {
    init?(reading section: Section) {
        duration = section.get("duration", Form.duration.map(Optional.some).or("none", nil)) ?? nil
        cost = section.get("cost", Form.money.map(Optional.some).or("none", nil)) ?? nil
        setup = section.get("setup", .duration) ?? .seconds(30 * 60)
        stall = section.get("stall", Form.duration.map(Stall.after).or("auto", .auto).or("none", .none)) ?? .none
    }
}

extension Config.Retry {
    init?(reading section: Section) {
        let count = Form.number(0 ... .max).map(Optional.some).or("unlimited", nil)
        crash = section.get("crash", count) ?? 2
        preempted = section.get("preempted", count) ?? nil
        backoff = section.get("backoff", .duration) ?? .seconds(10)
    }
}

extension LogRule {
    init?(reading section: Section) {
        self.init()
        segment = section.get("segment", .bytes) ?? segment
        keep = section.get("keep", .bytes) ?? keep
    }
}

extension Config.Mirror {
    init?(reading section: Section) {
        let bucket = section.required("bucket", .text)
        endpoint = section.get("endpoint", .url)
        region = section.get("region", .text)
        prefix = section.get("prefix", .text)
        guard let bucket else { return nil }
        self.bucket = bucket
    }
}
