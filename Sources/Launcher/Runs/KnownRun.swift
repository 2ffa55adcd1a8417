internal import Shared

/// A run that is known, and where it is. Its volume was not read yet, and may be damaged.
struct KnownRun: Sendable {
    let id: RunID
    let provider: any Provider
    let place: PodPlace
    /// The newest pod that was made for it and is still known.
    var pod: Pod?

    /// The door to its files.
    var source: any RunSource { provider.source(of: id, at: place, pod: pod) }

    /// The same run with the newest pod that its provider knows now.
    func refreshed() async throws -> KnownRun {
        var run = self
        run.pod = try await provider.pods().first { $0.run == id }
        return run
    }
}
