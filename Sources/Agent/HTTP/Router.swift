internal import Shared
internal import Synchronization

/// The API of an agent that supervises a run. Before the run is claimed it serves health, files and code.
final class Router: Sendable {
    let table: RouteTable
    private let current = CurrentAttempt()
    private let history = EventHistory()

    /// `post` takes the events that clients cause.
    init(tokenDigest: SHA256Digest, volume: String, post: @escaping @Sendable (Event) -> Void) {
        let attempt = AttemptRoutes(current: current, history: history, post: post)
        let access = VolumeAccess(root: volume)
        let files = FilesRoute(volume: access, uploads: UploadRoute(volume: access))
        let checkpoints = ListedCheckpointsRoute(volume: access)
        table = RouteTable(
            tokenDigest: tokenDigest, routes: [attempt.health] + attempt.routes + [checkpoints.route] + files.routes)
    }

    /// Makes each change of `journal` an event from now on.
    func announce(_ journal: Journal) {
        journal.observe { [history] in history.take($0) }
    }

    /// Reports on `work` from now on.
    func serve(_ work: OpenAttempt) { current.set(work) }
}

/// The attempt that the API reports on.
final class CurrentAttempt: Sendable {
    private let value = Mutex<OpenAttempt?>(nil)

    /// nil before the run is claimed.
    var ifClaimed: OpenAttempt? { value.withLock { $0 } }

    var claimed: OpenAttempt {
        get throws(APIError) {
            if let attempt = ifClaimed { return attempt }
            throw APIError(.unavailable, "the run is not claimed yet", hint: "ask again in a second")
        }
    }

    func set(_ attempt: OpenAttempt) { value.withLock { $0 = attempt } }
}
