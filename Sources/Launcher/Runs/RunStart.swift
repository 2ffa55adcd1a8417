internal import Shared

/// Decides what `launch run` has to do for a config, and does it: attach, start, or nothing.
struct RunStart: Sendable {
    let config: Config
    let isForced: Bool
    let world: World
    /// Longer than it takes another `launch run` to start a pod.
    var lockPatience: Duration = .seconds(90)

    enum Decision: Sendable {
        /// The run has finished with the same spec.
        case finished(RunView)
        /// A pod trains with the same spec.
        case attach(RunView)
        /// A pod was started; the log of its attempt begins at `offset`.
        case started(RunView, offset: Int)
    }

    private var volume: Volume { config.volumePath.map { Volume(root: $0) } ?? world.volume }

    func decide() async throws -> Decision {
        // One `launch run` at a time for each run; what it locks is not on the volume.
        let lock = try await FileLock.acquire("\(world.home)/locks/\(config.run)", within: lockPatience)
        defer { lock.release() }
        let project = try await ProjectFingerprint.of(folder: config.folder)
        try checkProject(project)
        let spec = try await spec(project: project)
        var run = try await current()
        if run?.state == .starting, let pod = run?.pod, pod.isRunning {
            // What it was asked to train is known once it owns the run.
            _ = try await PodStart(pod: pod, world: world).wait()
            run = try await current()
        }
        if let run, let decision = try refuseOrJoin(run, spec) { return decision }
        return try await start(spec, after: run)
    }

    /// The resolved config and the provider's request. Nothing is packed or written.
    func preview() async throws -> [UInt8] {
        let spec = config.spec(
            project: try await ProjectFingerprint.of(folder: config.folder), code: nil, volume: volume.root,
            launch: LaunchOrder(id: "dry-run", force: isForced))
        return Array("resolved config:\n".utf8) + (try JSON.encode(spec, pretty: true))
            + Array("\n\nrequest to provider \"\(spec.provider.rawValue)\":\n".utf8)
            + (try world.provider.preview(order(spec))) + [UInt8(ascii: "\n")]
    }

    /// The run on this config's volume; nil where it has neither a pod nor a claim.
    private func current() async throws -> RunView? {
        let pod = try await world.provider.pods().first { $0.run == config.run }
        if let pod, pod.isRunning, pod.volume != volume.root {
            throw Failure(
                .config, "\"\(config.run)\" is running on another volume, \"\(pod.volume)\"",
                hint: "stop it first with: launch stop \(config.run)")
        }
        let view = try RunView(id: config.run, volume: volume, pod: pod)
        return pod == nil && view.claims.isEmpty ? nil : view
    }

    private func checkProject(_ project: String) throws {
        guard let known = try volume.run(config.run).spec()?.project, known != project else { return }
        throw Failure(
            .config, "run \"\(config.run)\" belongs to another project",
            hint: "give this one another \"run\" name; that one is kept in \"\(volume.run(config.run).path)\"")
    }

    private func spec(project: String) async throws -> RunSpec {
        try checkVariables()
        var code: PackedCode?
        if case .path(let folder) = config.code {
            let pack = try await pack(folder)
            for warning in pack.warnings { world.console.note("launch: \(warning)") }
            if !pack.leftOut.isEmpty {
                world.console.note("launch: left out of the code: \(pack.leftOut.joined(separator: ", "))")
            }
            code = pack.code
        }
        let id = [UInt8].random(count: 6).hexadecimal
        return config.spec(
            project: project, code: code, volume: volume.root, launch: LaunchOrder(id: id, force: isForced))
    }

    /// The spec is kept on the volume and shown in the log.
    private func checkVariables() throws {
        let texts =
            config.env.sorted { $0.key < $1.key }.map { ("env.\($0.key)", $0.value) }
            + config.command.texts.map { ("command", $0) } + (config.resume?.texts ?? []).map { ("resume", $0) }
        for (key, text) in texts {
            guard config.knownSecrets.contains(where: { text.contains($0) }) else { continue }
            throw Failure(
                .config, "\"\(key)\" holds the value of a secret, and would be kept on the volume",
                hint: "name the variable under \"secrets\": the training has it in its environment")
        }
    }

    private func pack(_ folder: String) async throws -> CodePack {
        do {
            return try await CodePack.make(folder: folder, secrets: Array(config.knownSecrets), on: volume)
        } catch let problem as Problem {
            throw Failure(.setupFailed, problem)
        }
    }

    /// nil where a pod has to be started.
    private func refuseOrJoin(_ run: RunView, _ spec: RunSpec) throws -> Decision? {
        let fingerprint = try spec.fingerprint
        if run.state.isLive {
            if isForced {
                throw Failure(
                    .config, "\"\(run.id)\" is \(run.state.word), it cannot be restarted",
                    hint: "stop it first with: launch stop \(run.id)")
            }
            let running = try run.folder.spec()
            if let running, try running.fingerprint != fingerprint {
                throw Failure(
                    .config,
                    "\"\(run.id)\" is \(run.state.word) with another config:\n"
                        + (try SpecDifference.lines(from: running, to: spec)).map { "  " + $0 }.joined(separator: "\n"),
                    hint: "attach with: launch attach \(run.id), or stop it first with: launch stop \(run.id)")
            }
            return .attach(run)
        }
        let isDone = run.state == .ended(.finished) && run.latest?.spec == fingerprint
        return isDone && !isForced ? .finished(run) : nil
    }

    private func order(_ spec: RunSpec) -> PodOrder {
        PodOrder(spec: spec, notify: config.notify, secrets: config.secretValues)
    }

    private func start(_ spec: RunSpec, after previous: RunView?) async throws -> Decision {
        var spec = spec
        // The claim of an owner whose process is gone need not be waited for. One that cannot be seen from here, in another
        // container say, may live: the agent watches its heartbeat.
        if let owner = previous?.claims.last, owner.isAlive == false {
            spec.launch.supersedes = [owner.pod]
        }
        let pod = try await world.provider.create(order(spec))
        let interrupt = Interrupt(leaving: pod.run)
        defer { interrupt.cancel() }
        return try await PodStart(pod: pod, world: world).wait()
    }
}
