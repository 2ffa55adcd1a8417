internal import RunPod
internal import Shared
internal import Synchronization

/// The account's pods. A list that is younger than `age` is not read again, so that a command that waits stays far
/// below RunPod's limit of requests.
final class RunPodPodList: Sendable {
    private let client: RunPodClient
    private let age: Duration
    private let last = Mutex<(pods: [RentedPod], at: ContinuousClock.Instant)?>(nil)

    init(client: RunPodClient, age: Duration = .seconds(3)) {
        self.client = client
        self.age = age
    }

    func pods() async throws -> [RentedPod] {
        let known = last.withLock { last in last.flatMap { $0.at.duration(to: .now) < age ? $0.pods : nil } }
        if let known { return known }
        let pods = try await client.pods()
        last.withLock { $0 = (pods, .now) }
        return pods
    }

    /// The next read asks RunPod. Called after each change.
    func expire() { last.withLock { $0 = nil } }
}
