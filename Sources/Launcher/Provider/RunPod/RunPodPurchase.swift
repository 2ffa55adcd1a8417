internal import RunPod
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Buys one pod for a run, and makes sure that there is only one, whatever happens to the answer.
struct RunPodPurchase {
    let client: RunPodClient
    /// The run and the launch of the new pod.
    let name: RunPodName
    /// Pods of the run that are proven to have ended, although RunPod may still list them.
    var ended: [String] = []
    /// Time for a pod whose create got no answer to appear in the list.
    var timeout: Duration = .seconds(20)

    /// The answer to a create.
    private enum Answer {
        case pod(RentedPod)
        /// RunPod gave only the pod's id.
        case id(String)
        /// RunPod may have bought a pod, although it did not say so.
        case unknown
    }

    /// Throws `OfferGone` if the offer cannot be had now.
    func buy(_ creation: PodCreation, _ offer: Offer) async throws -> RentedPod {
        // Another machine may have started the same launch, or an earlier answer was lost.
        let before = try await live()
        if let pod = before.first(where: isOwn) { return pod }
        if let rival = before.first { throw taken(by: rival) }
        let answer = try await create(creation, offer)
        do {
            return try await only(of: answer, offer)
        } catch let error as RunPodError {
            throw Failure(
                .unavailable, "it is unknown whether RunPod sold a pod for \"\(name.run)\": \(error.sentence)",
                hint: "see \"launch ls\"; a pod that never gets its code ends by itself")
        }
    }

    /// Returns the pod that stays. Ends every other one before its agent claims the run.
    ///
    /// The oldest pod of the run stays, on every machine that makes this comparison.
    private func only(of answer: Answer, _ offer: Offer) async throws -> RentedPod {
        let pods = try await appeared(after: answer)
        guard let first = pods.first else {
            if case .id(let id) = answer { try await client.deletePod(id) }
            throw OfferGone("\(offer.text): RunPod failed, and sold nothing")
        }
        for other in pods.dropFirst() where isOwn(other) { try await client.deletePod(other.id) }
        guard isOwn(first) else { throw taken(by: first) }
        return first
    }

    private func taken(by rival: RentedPod) -> Failure {
        Failure(
            .unavailable, "\"\(name.run)\" has a pod already, \"\(rival.id)\", which another command started",
            hint: "follow it with: launch attach \(name.run)")
    }

    private func create(_ creation: PodCreation, _ offer: Offer) async throws -> Answer {
        do {
            guard offer.isSpot, let price = offer.price else { return .pod(try await client.createPod(creation)) }
            return .id(try await client.rentSpot(creation, bid: price / Double(creation.gpu.count)))
        } catch {
            if error.mayHaveWorked { return .unknown }
            throw Self.meaning(of: error, offer)
        }
    }

    private static func meaning(of error: RunPodError, _ offer: Offer) -> any Error {
        switch error.kind {
        case .noCapacity: OfferGone("\(offer.text): no machine is free")
        case .notOffered: OfferGone("\(offer.text): not offered")
        case .forbidden: OfferGone("\(offer.text): not for this key")
        default: error
        }
    }

    /// Returns the live pods of the run once the bought one is among them; without it after `timeout`.
    private func appeared(after answer: Answer) async throws -> [RentedPod] {
        let start = ContinuousClock.now
        while true {
            var pods = try await live()
            if case .pod(let bought) = answer, !pods.contains(where: { $0.id == bought.id }) { pods.append(bought) }
            if pods.contains(where: isOwn) || start.duration(to: .now) >= timeout {
                return pods.sorted(by: Self.isOlder)
            }
            try await Task.sleep(for: .seconds(1))
        }
    }

    private func isOwn(_ pod: RentedPod) -> Bool { RunPodName(pod.name)?.launch == name.launch }

    /// The pods of the run that run or are about to, the oldest first.
    private func live() async throws -> [RentedPod] {
        try await client.pods()
            .filter { RunPodName($0.name)?.run == name.run && $0.status.isLive && !ended.contains($0.id) }
            .sorted(by: Self.isOlder)
    }

    static func isOlder(_ pod: RentedPod, _ other: RentedPod) -> Bool {
        (pod.createdAt?.date ?? .distantFuture, pod.id) < (other.createdAt?.date ?? .distantFuture, other.id)
    }
}

extension RentedPod.Status {
    /// Whether the pod runs, or is about to, and is billed for its GPU.
    var isLive: Bool {
        switch self {
        case .provisioning, .starting, .running, .other: true
        case .exited, .error, .terminated: false
        }
    }
}
