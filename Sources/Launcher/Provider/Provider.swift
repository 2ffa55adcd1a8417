internal import Shared

/// Where pods come from.
protocol Provider: Sendable {
    /// Creates and starts a pod. Returns once the provider has taken it on; its agent may not answer yet.
    func create(_ order: PodOrder) async throws -> Pod

    /// What `create` would ask for, for a person to read.
    func preview(_ order: PodOrder) throws -> [UInt8]

    /// The pods that are known, the newest first.
    func pods() async throws -> [Pod]

    /// Ends the pod as its host would: SIGTERM, and some seconds to leave.
    func terminate(_ pod: Pod) async throws

    /// What the pod's agent takes as proof that its user asks.
    func token(launch: String) throws -> String

    /// The last lines that the pod itself printed, for when its agent does not answer.
    func console(of pod: Pod) -> String
}

struct PodOrder: Sendable {
    var spec: RunSpec
    /// URLs that the agent tells of the run's end and the like. Whatever follows a host may be secret.
    var notify: [String] = []
    /// Variables of the pod that nothing writes down, by name.
    var secrets: [String: String] = [:]

    /// As a person may see it.
    var redacted: PodOrder {
        var order = self
        order.notify = notify.map { url in url[..<url.urlAuthority.endIndex] + "/…" }
        order.secrets = secrets.mapValues { _ in "(secret)" }
        return order
    }
}

/// A pod as its provider shows it now.
struct Pod: Sendable, Equatable {
    var id: String
    var run: RunID
    var launch: String
    /// Where the run's volume is, for `local` a folder of this machine.
    var volume: String
    var isRunning: Bool
    /// Of the agent's API, once it is known.
    var address: String?
    /// Its first process, where the pod is a process tree of this machine.
    var process: ProcessIdentity?
}
