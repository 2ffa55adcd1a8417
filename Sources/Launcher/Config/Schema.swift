internal import Shared

/// The keys of a config with their forms. `Config+Check.swift` has the rules that involve several keys.
extension Config {
    /// nil after an error, which the reader has.
    init?(reading top: Section, paths: Paths) {
        let run = top.required("run", .runID)
        let provider = top.get("provider", Form<ProviderName>.choice()) ?? .local
        image = top.get("image", .text)
        let command = top.required("command", .command)
        settings = RunSettings(run: run ?? .placeholder, command: command ?? .shell(""))
        settings.provider = provider
        settings.resume = top.get("resume", .command)
        settings.fresh = top.get("fresh", .command)
        top.get("workdir", .workdir, into: &settings.workdir)
        code = top.get("code", .code(paths))
        top.get("dependencies", .section(Dependencies.init), into: &settings.dependencies)
        settings.checkpoints = top.get("checkpoints", .section { CheckpointRule(reading: $0) })
        settings.progress = top.get("progress", .progress)
        top.get("env", .env, into: &settings.env)
        top.get("secrets", .secrets, into: &secrets)
        settings.secrets = secrets.keys.sorted()
        top.get("tty", .truth, into: &settings.tty)
        top.get("resources", .section { Resources(reading: $0, paths: paths) }, into: &resources)
        top.get("limits", .section(Limits.init), into: &settings.limits)
        top.get("retry", .section(RetryPolicy.init), into: &settings.retry)
        settings.onFinish = top.get("on_finish", .onFinish)
        top.get("disk_full", .diskFull, into: &settings.diskFull)
        top.get("logs", .section(LogRule.init), into: &settings.logs)
        top.get("agent_port", .number(1...65535), into: &settings.agentPort)
        tensorboard = top.get("tensorboard", .section { $0.required("logdir", .text) })
        top.get("notify", .list(of: .notifyURL), into: &notify)
        mirror = top.get("mirror", .section(Mirror.init))
        project = top.get("project", .text)
        folder = paths.folder
        if run == nil || command == nil { return nil }
    }
}

extension Dependencies {
    fileprivate init?(reading section: Section) {
        self.init()
        section.get("requirements", .list(of: .treePath), into: &requirements)
        section.get("overrides", .list(of: .text), into: &overrides)
        section.get("environment", .choice(), into: &environment)
        section.get("installer", .choice(), into: &installer)
        section.get("python", .text, into: &python)
        section.get("cache", .truth, into: &cache)
        section.get("check_imports", .list(of: .module), into: &checkImports)
    }
}

extension CheckpointRule {
    fileprivate init?(reading section: Section) {
        let path = section.required("path", .checkpointPath)
        let patterns = section.get("pattern", .namePatterns) ?? ["checkpoint-*"]
        let keep = section.get("keep", Form.number(1 ... .max).orNone("none")) ?? nil
        let names = section.get("names", .list(of: .fileName)) ?? []
        guard let path, let pattern = patterns.first else { return nil }
        let companions = Array(patterns.dropFirst())
        self = CheckpointRule(
            path: path, pattern: pattern, keep: keep, names: names.isEmpty ? nil : names,
            companions: companions.isEmpty ? nil : companions)
    }
}

extension Resources {
    fileprivate init?(reading section: Section, paths: Paths) {
        self.init()
        section.get("gpus", .list(of: .text), into: &gpus)
        section.get("gpu_count", .number(1...64), into: &gpuCount)
        section.get("order", .choice(), into: &order)
        section.get("cloud", .choice(), into: &cloud)
        section.get("spot", Form.truth.map { $0 ? .yes : .no }.or("prefer", .prefer), into: &spot)
        maxPrice = section.get("max_price", .money)
        section.get("datacenters", .list(of: .text), into: &datacenters)
        minCUDA = section.get("min_cuda", .cudaVersion)
        section.get("disk", .gigabytes, into: &disk)
        section.get("ports", .list(of: .port), into: &ports)
        volume = section.get("volume", .volume(paths))
    }
}

extension Limits {
    fileprivate init?(reading section: Section) {
        self.init()
        section.get("duration", Form.duration.orNone("none"), into: &duration)
        section.get("cost", Form.money.orNone("none"), into: &cost)
        section.get("setup", .duration, into: &setup)
        section.get("stall", Form.duration.map(Stall.after).or("auto", .auto).or("none", .none), into: &stall)
    }
}

extension RetryPolicy {
    fileprivate init?(reading section: Section) {
        self.init()
        let count = Form.number(0 ... .max).orNone("unlimited")
        section.get("crash", count, into: &crash)
        section.get("preempted", count, into: &preempted)
        section.get("backoff", .duration, into: &backoff)
    }
}

extension LogRule {
    fileprivate init?(reading section: Section) {
        self.init()
        section.get("segment", .bytes, into: &segment)
        section.get("keep", .bytes, into: &keep)
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
