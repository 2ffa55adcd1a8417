internal import Shared

/// Prepares a training: checks disks, brings in the code, installs dependencies, chooses the checkpoint.
struct SetupRunner: Sendable {
    let attempt: OpenAttempt
    /// The variables that children inherit.
    let variables: [String: String]
    /// The code comes over the API after the pod's start.
    let receivesCode: Bool
    let processes: any TrainingProcesses

    private var spec: RunSpec { attempt.spec }

    /// Takes `step` and adds what it found to `setup`.
    func take(_ step: SetupStep, after setup: Setup) async throws -> Setup {
        var setup = setup
        switch step {
        case .preflight: try await check()
        case .syncing: try await sync()
        case .installing: setup.python = try await install()
        case .resuming: try await chooseCheckpoint(&setup)
        }
        return setup
    }

    private func check() async throws {
        try await Preflight(volume: spec.volume, work: attempt.run.work).check { [log = attempt.log] path, free in
            log.say(.lowSpace(path, free: free))
        }
    }

    private func sync() async throws {
        guard let code = spec.code else { return }
        if receivesCode { try await receive(code) }
        try await DedicatedThread.run { [self] in
            let packs = try CodePacks(volume: Volume(root: spec.volume), run: spec.run)
            let sync = CodeSync(
                code: code, volume: Volume(root: spec.volume), run: attempt.run, attempt: attempt.claim.number,
                checkpoints: CheckpointArea(of: spec, in: attempt.run), say: { [log = attempt.log] in log.say($0) })
            _ = try sync.perform { processes.isCalledOff }
            try attempt.commit?.write(to: attempt.run.work)
            try? packs.collect(except: code)
        }
    }

    /// Returns once the volume has the pack. `limits.setup` ends the wait.
    private func receive(_ code: PackedCode) async throws {
        let path = Volume(root: spec.volume).pack(code)
        var isReported = false
        while try await DedicatedThread.run({ try !File.exists(path) }) {
            if processes.isCalledOff { throw CancellationError() }
            if !isReported { attempt.log.say(.waitingForCode) }
            isReported = true
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func install() async throws -> PythonEnvironment? {
        if spec.dependencies.isEmpty { return nil }
        let installer = Installer(
            dependencies: spec.dependencies, volume: Volume(root: spec.volume), run: spec.run,
            variables: ChildEnvironment.installer(variables, stream: attempt.claim.stream, config: spec.env),
            config: spec.env, secrets: spec.secrets, jobs: processes)
        return try await installer.install { [log = attempt.log] in log.say($0) }
    }

    private func chooseCheckpoint(_ setup: inout Setup) async throws {
        let progress = try ProgressFollower(tail: processes.tail, pattern: spec.progress) {
            [log = attempt.log] in log.say($0)
        }
        let (chosen, watch) = try await DedicatedThread.run { [self] in try choose(progress) }
        attempt.journal.change {
            $0.resumedFrom = chosen?.checkpoint
            $0.resumedProven = chosen?.isProven
        }
        attempt.log.say(.config(try JSON.text(spec)))
        if isForced { attempt.log.say(.forceRestart) }
        attempt.log.say(
            chosen.map { .resuming(from: $0.checkpoint.path, isProven: $0.isProven) } ?? .startingFresh)
        (setup.resume, setup.watch, setup.progress) = (chosen?.checkpoint, watch, progress)
    }

    private func choose(_ progress: ProgressFollower) throws -> (CheckpointChoice.Chosen?, CheckpointWatch?) {
        guard var receipts = attempt.receipts, let saves = attempt.saves else { return (nil, nil) }
        receipts.isCancelled = { [processes] in processes.isCalledOff }
        let chosen = try CheckpointChoice(receipts: receipts).choose()
        if chosen == nil, try LeftoverFolder(receipts: receipts).remove() {
            attempt.log.say(.leftoverRemoved(receipts.folder.path))
        }
        let watch = CheckpointWatch(receipts: receipts, open: saves.openFiles) {
            progress.update().progress.step
        }
        try watch.begin()
        receipts.announcePruning()
        return (chosen, watch)
    }

    /// Whether this attempt is the first of a lineage that a forced launch began.
    private var isForced: Bool {
        let claim = attempt.claim
        return claim.lineage == claim.launch && spec.launch.force
            && !attempt.claims.dropLast().contains { $0.lineage == claim.lineage }
    }
}
