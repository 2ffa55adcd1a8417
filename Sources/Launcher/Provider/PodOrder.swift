internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Everything that a provider needs to know to create a pod.
struct PodOrder: Sendable {
    var spec: RunSpec
    /// The run's volume. Its mount point is `spec.volume`.
    var place: PodPlace
    var resources = Resources()
    var image: String?
    /// URLs to which the agent posts the run's end and the like. The part after the host may be secret.
    var notify: [String] = []
    /// Secret variables of the pod, by name.
    var secrets: [String: Config.SecretSource] = [:]

    /// The id of the commit that the code was checked out from; nil if the code is in no repository.
    var commit: String?

    /// Ports to open, the agent's first, as `8000/http`.
    var ports: [String] { ["\(spec.agentPort)/http"] + resources.ports }

    /// Values of the secrets that this machine knows, by the variable's name.
    var secretValues: [String: String] {
        secrets.compactMapValues { if case .value(let value) = $0 { value } else { nil } }
    }

    /// The order with all that is secret replaced by words, for a person.
    var redacted: PodOrder {
        var order = self
        order.notify = notify.map { url in url[..<url.urlAuthority.endIndex] + "/…" }
        order.secrets = secrets.mapValues { if case .value = $0 { .value("(secret)") } else { $0 } }
        return order
    }

    /// The order with the price of `offer` and the time of purchase, which the agent bills by.
    func bought(at offer: Offer, _ now: Date = Date()) -> PodOrder {
        guard let price = offer.price else { return self }
        var order = self
        order.spec.launch.price = price
        order.spec.launch.bought = now
        return order
    }
}
