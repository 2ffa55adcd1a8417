internal import Shared

/// Gets a pod from a provider: tries one offer after the other, and waits until one is free.
struct Purchase {
    var order: PodOrder
    let provider: any Provider
    let console: Console
    /// Time for which it waits for a free pod.
    var timeout: Duration = .zero
    /// Before the second round of offers. It doubles up to `longest`.
    var pause: Duration = .seconds(5)
    var longest: Duration = .seconds(300)

    /// Pods that may fail because of their hosts before it gives up.
    private static let maxFaults = 3

    /// Buys a pod and returns what `begin` makes of it. Throws a failure that names everything that was tried.
    mutating func make<Value>(_ begin: (Pod) async throws -> Value) async throws -> Value {
        let start = ContinuousClock.now
        var faults = 0
        var isFirst = true
        while true {
            var tried: [String] = []
            let faultsBefore = faults
            for offer in try await provider.offers(for: order) {
                do {
                    let pod = try await provider.create(order, at: offer)
                    return try await begin(pod)
                } catch let gone as OfferGone {
                    if isFirst { console.note("launch: \(gone)") }
                    tried.append("\(gone)")
                } catch let fault as HostFault {
                    faults += 1
                    console.note("launch: \(fault.failure.problem.sentence)")
                    if faults == Self.maxFaults { throw fault.failure }
                    tried.append("\(offer.text): its host failed")
                    order.spec.launch.supersedes.append(fault.pod)
                }
            }
            isFirst = false
            // Another pod of the same kind mostly comes from another host.
            if faults > faultsBefore { continue }
            let rest = timeout - start.duration(to: .now)
            guard !tried.isEmpty, rest > .zero else { throw failure(tried) }
            try await wait(min(pause, rest), tried)
            pause = min(pause * 2, longest)
        }
    }

    private func wait(_ pause: Duration, _ tried: [String]) async throws {
        let seconds = max(1, Int(pause.inSeconds))
        console.note("launch: no pod is free (\(tried.joined(separator: "; "))); trying again in \(seconds) s")
        try await Task.sleep(for: pause)
    }

    private func failure(_ tried: [String]) -> Failure {
        Failure(
            .noCapacity, "provider \"\(provider.name.rawValue)\" has no pod for this config now",
            hint: tried.isEmpty
                ? "look at \"resources\": its limits leave no offer"
                : "tried: \(tried.joined(separator: "; "))\nwait for a free one with: launch run --wait 2h")
    }
}
