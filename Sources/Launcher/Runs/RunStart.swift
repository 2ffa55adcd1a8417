internal import Shared

/// Decides what `launch run` has to do for a config, and does it: attach, start, or nothing.
struct RunStart: Sendable {
    let config: Config
    let isForced: Bool
    /// The user says that the run belongs to this project, whatever the marks of both say.
    var isAdopting = false
    let world: World
    /// Time for which it waits for a free pod.
    var podTimeout: Duration = .zero
    /// Longer than it takes another `launch run` to start a pod.
    var lockTimeout: Duration = .seconds(90)

    enum Decision: Sendable {
        /// The run has finished with the same spec.
        case finished(RunView)
        /// A pod trains with the same spec.
        case attach(RunView)
        /// A pod was started; the log of its attempt begins at `offset`.
        case started(RunView, offset: Int)
    }

    func decide() async throws -> Decision {
        // One `launch run` at a time for each run. The lock is a file of this machine, not of the volume.
        let lock = try await FileLock.acquire("\(world.home)/locks/\(config.run)", within: lockTimeout)
        defer { lock.release() }
        let provider = try world.providers.named(config.provider)
        var known = KnownRun(id: config.run, provider: provider, place: provider.place(for: config.resources))
        let project = try await projects(of: known)
        let spec = try await spec(project: project.known, on: known.place)
        known.pod = try await newestPod(at: known.place, of: provider)
        var run = try await Runs(world: world).view(known)
        if run.state == .starting, let pod = run.pod, pod.isRunning {
            // The spec of the starting pod is known once the pod owns the run.
            _ = try await PodStart(
                pod: pod, provider: provider, world: world, code: delivery(of: spec, on: known.place)
            )
            .wait()
            run = try await Runs(world: world).refreshed(run)
        }
        if let decision = try decision(on: run, spec) {
            try provider.remember(run.id, at: known.place)
            try await deliver(spec, to: decision)
            return decision
        }
        return try await start(spec, of: project.joined, after: run)
    }

    /// The resolved config and the provider's request. Nothing is packed or written.
    func preview() async throws -> [UInt8] {
        let provider = try world.providers.named(config.provider)
        let place = provider.place(for: config.resources)
        let spec = config.spec(
            project: try await own(ProjectIdentity.init(of:)).text, code: nil, volume: place.mount,
            launch: LaunchOrder(id: "dry-run", force: isForced))
        let order = order(spec, on: place, commit: try await commit())
        return Array("resolved config:\n".utf8) + (try JSON.encode(spec, pretty: true))
            + Array("\n\nrequest to provider \"\(spec.provider.rawValue)\":\n".utf8)
            + (try provider.preview(order, at: try await offer(for: order, of: provider))) + [UInt8(ascii: "\n")]
    }

    /// The run's newest pod; nil if it has none. A pod that runs on another volume is an error.
    private func newestPod(at place: PodPlace, of provider: any Provider) async throws -> Pod? {
        let pod = try await provider.pods().first { $0.run == config.run }
        if let pod, pod.isRunning, pod.place != place {
            throw Failure(
                .config, "\"\(config.run)\" is running on another volume, \"\(pod.place.text)\"",
                hint: "stop it first with: launch stop \(config.run)")
        }
        return pod
    }

    /// The run's project as its spec knows it, and with what is new about it. A run of another project is an error.
    private func projects(of run: KnownRun) async throws -> (known: String, joined: String) {
        let own = try await own(ProjectIdentity.init(of:))
        let folder = try await run.source.folder(of: run.id, with: [.records])
        guard let text = try folder.spec()?.project else { return (own.text, own.text) }
        let known = ProjectIdentity(text: text)
        guard isAdopting || known.isSame(as: own) else {
            throw Failure(
                .config, "run \"\(config.run)\" belongs to another project",
                hint: "give this one another \"run\" name, or take the run over with: launch run --adopt; "
                    + "its files are in \"\(run.source.original.run(run.id).path)\"")
        }
        return (text, known.joined(with: own).text)
    }

    /// Reads something of the project. A failure is one of the setup: no provider was asked yet.
    private func own<Value>(_ read: (Config) async throws -> Value) async throws -> Value {
        do { return try await read(config) } catch let problem as Problem { throw Failure(.setupFailed, problem) }
    }

    /// The id of the commit that the code was checked out from; nil if the code is in no repository.
    private func commit() async throws -> String? {
        guard case .path(let folder, _) = config.code else { return nil }
        let answer = try await own { _ in try await Git.ask(["rev-parse", "--verify", "HEAD"], in: folder) }
        return answer.map(\.text.trimmed).flatMap { $0.isEmpty ? nil : $0 }
    }

    private func spec(project: String, on place: PodPlace) async throws -> RunSpec {
        try checkVariables()
        let requirements = RequirementCheck(config: config)
        try requirements.checkFiles()
        if let advice = requirements.advice { world.console.note("launch: \(advice)") }
        var code: PackedCode?
        var notes = config.warnings.map(\.message)
        if case .path(let folder, let include) = config.code {
            let pack = try await pack(folder, including: include, on: place)
            try requirements.checkPacked(pack.paths)
            for note in pack.notes { world.console.note("launch: \(note)") }
            notes += pack.notes
            code = pack.code
        }
        let id = [UInt8].random(count: 6).hexadecimal
        return config.spec(
            project: project, code: code, volume: place.mount,
            launch: LaunchOrder(id: id, force: isForced, notes: notes))
    }

    /// The spec is kept on the volume and shown in the log.
    private func checkVariables() throws {
        let texts =
            config.env.sorted { $0.key < $1.key }.map { ("env.\($0.key)", $0.value) }
            + config.command.texts.map { ("command", $0) } + (config.resume?.texts ?? []).map { ("resume", $0) }
        for (key, text) in texts {
            guard let secret = config.knownSecrets.first(where: { text.contains($0.value) }) else { continue }
            throw Failure(
                .config,
                "\"\(key)\" holds the value of a secret, \(secret.words), and would be kept on the volume",
                hint: "write secrets: [\(secret.name)], and use $\(secret.name) in \"command\"; "
                    + "if it is no secret, write its value into the config")
        }
    }

    private func pack(_ folder: String, including include: [String], on place: PodPlace) async throws -> CodePack {
        let volume = place.hostVolume ?? waiting
        do {
            let checkpoints = CheckpointArea(
                of: config.checkpoints, workdir: config.workdir,
                work: Volume(root: place.mount).run(config.run).work)
            return try await CodePack.make(
                folder: folder, including: include,
                without: NotCode(checkpoints: checkpoints, volume: volume, home: world.home),
                secrets: config.knownSecrets, on: volume)
        } catch let problem as Problem {
            throw Failure(.setupFailed, problem)
        }
    }

    /// The folder of packs that are sent to pods elsewhere, laid out like a volume.
    private var waiting: Volume { Volume(root: "\(world.home)/outgoing") }

    /// The pack that the pod's agent waits for; nil if it finds the pack on its volume.
    private func delivery(of spec: RunSpec, on place: PodPlace) -> CodeDelivery? {
        guard place.hostVolume == nil, let code = spec.code else { return nil }
        return CodeDelivery(code: code, path: waiting.pack(code))
    }

    /// A launcher that died may have left its pod without the code.
    private func deliver(_ spec: RunSpec, to decision: Decision) async throws {
        guard case .attach(let run) = decision, let delivery = delivery(of: spec, on: run.run.place),
            run.state == .active(.syncing), let agent = try await Runs(world: world).agent(of: run)
        else { return }
        try await delivery.send(to: agent)
    }

    /// nil if a pod has to be started.
    private func decision(on run: RunView, _ spec: RunSpec) throws -> Decision? {
        let fingerprint = try spec.fingerprint
        if run.state.isLive {
            try checkAttachable(run, spec, fingerprint)
            return .attach(run)
        }
        let isDone = run.state == .ended(.finished) && run.latest?.spec == fingerprint
        return isDone && !isForced ? .finished(run) : nil
    }

    private func checkAttachable(_ run: RunView, _ spec: RunSpec, _ fingerprint: String) throws {
        if isForced {
            throw Failure(
                .config, "\"\(run.id)\" is \(run.state.word), it cannot be restarted",
                hint: "stop it first with: launch stop \(run.id)")
        }
        guard let running = try run.folder.spec(), try running.fingerprint != fingerprint else { return }
        let differences = try SpecDifference.lines(from: running, to: spec).map { "  " + $0 }
        throw Failure(
            .config,
            "\"\(run.id)\" is \(run.state.word) with another config:\n" + differences.joined(separator: "\n"),
            hint: "attach with: launch attach \(run.id), or stop it first with: launch stop \(run.id)")
    }

    private func order(_ spec: RunSpec, on place: PodPlace, commit: String?) -> PodOrder {
        PodOrder(
            spec: spec, place: place, resources: config.resources, image: config.image, notify: config.notify,
            secrets: config.secrets, commit: commit)
    }

    private func offer(for order: PodOrder, of provider: any Provider) async throws -> Offer {
        guard let offer = try await provider.offers(for: order).first else {
            throw Failure(.unavailable, "provider \"\(provider.name.rawValue)\" has no pod for this config now")
        }
        return offer
    }

    private func start(_ spec: RunSpec, of project: String, after previous: RunView) async throws -> Decision {
        var spec = spec
        spec.project = project
        // The claim of an owner that has ended need not be waited for. An owner that cannot be seen from here may live:
        // the agent watches its heartbeat.
        if previous.owner == .gone, let owner = previous.claims.last {
            spec.launch.supersedes = [owner.pod]
        }
        let provider = previous.run.provider
        let old = try await endedPod(of: previous)
        if let old, old.hasEnded, !spec.launch.supersedes.contains(old.id) { spec.launch.supersedes.append(old.id) }
        let order = order(spec, on: previous.run.place, commit: try await commit())
        if let old, provider.restarts(old) {
            return try await begin(try await provider.start(old, with: order), spec, isNew: false)
        }
        var purchase = Purchase(order: order, provider: provider, console: world.console, timeout: podTimeout)
        return try await purchase.make { try await begin($0, spec, isNew: true) }
    }

    /// The pod of a run that is not live. An agent that is about to end it has time for that.
    private func endedPod(of run: RunView) async throws -> Pod? {
        guard run.run.provider.backstop != nil else { return run.pod }
        try await PodBackstop(run: run, world: world).secure()
        return try await run.run.refreshed().pod
    }

    /// Waits until the agent of the pod owns the run.
    private func begin(_ pod: Pod, _ spec: RunSpec, isNew: Bool) async throws -> Decision {
        let interrupt = Interrupt(leaving: pod.run)
        defer { interrupt.cancel() }
        return try await PodStart(
            pod: pod, provider: try world.providers.named(pod.provider), world: world,
            code: delivery(of: spec, on: pod.place), isNew: isNew
        ).wait()
    }
}
