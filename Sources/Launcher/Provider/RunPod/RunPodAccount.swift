internal import HTTPClient
internal import RunPod
internal import Shared

/// The user's account: its key, and the client that uses it.
final class RunPodAccount: Sendable {
    let addresses: RunPodAddresses
    private let key: String?
    private let known: RunPodClient?
    private let list: RunPodPodList?

    /// `environment` may hold `RUNPOD_API_KEY`.
    init(_ environment: [String: String], transport: any HTTPTransport) {
        addresses = RunPodAddresses(environment)
        let key = environment["RUNPOD_API_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        self.key = key
        known = key.map { [addresses] in RunPodClient(key: $0, addresses: addresses, transport: transport) }
        list = known.map { RunPodPodList(client: $0) }
    }

    /// Whether there is a key.
    var isKnown: Bool { key != nil }

    var client: RunPodClient {
        get throws(Failure) {
            guard let known else { throw Self.noKey }
            return known
        }
    }

    func pods() async throws -> [RentedPod] { try await list?.pods() ?? [] }

    /// The next list is read anew.
    func expire() { list?.expire() }

    /// The token of a launch: every machine with the key can make it, and the pod's listing does not show it.
    func token(launch: String) throws(Failure) -> String {
        guard let key else { throw Self.noKey }
        return SHA256Digest(authenticating: launch.utf8, key: Array(key.utf8)).description
    }

    private static let noKey = Failure(
        .refused, "there is no key for RunPod",
        hint: "set RUNPOD_API_KEY in the environment or in .env; keys are made in RunPod's console")
}
