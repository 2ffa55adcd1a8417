internal import Shared

/// Makes sure that the pod of a run that has ended is not billed on: the agent ends it, and if that has no effect, this
/// machine does.
struct PodBackstop {
    let run: RunView
    let world: World

    private var provider: any Provider { run.run.provider }

    /// Returns once the pod has ended, or stays because the config says so.
    func secure() async throws {
        if case .ended(let kind) = run.state { try await secure(after: kind) }
    }

    /// The same for a run that ended as `kind`, and whose pod was started once more.
    func secure(after kind: OutcomeClass) async throws {
        guard let timeout = provider.backstop, kind.endsLaunch else { return }
        await cleanUp()
        try await end(within: timeout)
        if let pod = run.pod { try await provider.markOver(pod) }
    }

    private func end(within timeout: Duration) async throws {
        guard let pod = run.pod, pod.isRunning, case .end = try run.folder.spec()?.onFinish else { return }
        let start = ContinuousClock.now
        var isReported = false
        while start.duration(to: .now) < timeout {
            guard try await isRunning(pod) else { return world.console.note("launch: pod \"\(pod.id)\" has ended") }
            if !isReported, start.duration(to: .now) > .seconds(5) {
                world.console.note("launch: waiting for the end of pod \"\(pod.id)\"")
                isReported = true
            }
            try await Task.sleep(for: provider.pollInterval)
        }
        // Its disks stay: only the agent knows that nothing would be lost with them.
        try await provider.end(pod, .end(.stop))
        world.console.note("launch: the agent could not end pod \"\(pod.id)\", so launch stopped it; its disks stay")
    }

    private func cleanUp() async {
        do {
            try await provider.cleanUp(after: run.id)
        } catch {
            world.console.note("launch: the run's secrets stay: \(Failure(wrapping: error).problem.sentence)")
        }
    }

    private func isRunning(_ pod: Pod) async throws -> Bool {
        try await provider.pods().first { $0.id == pod.id }?.isRunning ?? false
    }
}
