internal import Shared

/// Claims the run for the agent's next attempt, and opens that attempt.
struct AttemptOpener: Sendable {
    let environment: AgentEnvironment
    /// The processes of the agent itself, `init` first.
    let processes: [ProcessIdentity]
    let volume: VolumeWriter
    let console: ContainerOutput?

    private var run: RunFolder { Volume(root: environment.spec.volume).run(environment.spec.run) }

    /// Returns once the run is claimed, or its launch proves to be over. Waits while another agent owns the run.
    ///
    /// `address` is that of the API, for the claim.
    func claim(address: String?) async throws -> Claiming.Result {
        try await Claiming(
            run: run, spec: environment.spec, pod: environment.pod, processes: processes, address: address
        ).claim { Console.say($0) }
    }

    func open(_ claim: Claim) async throws -> OpenAttempt {
        try await DedicatedThread.run { [self] in
            var attempt = try OpenAttempt.open(
                claim, spec: environment.spec, run: run, volume: volume, console: console)
            attempt.commit = environment.commit
            return attempt
        }
    }
}
