internal import RunPod
internal import Shared

#if canImport(FoundationEssentials)
internal import FoundationEssentials
#else
internal import Foundation
#endif

/// Buys one pod, and makes sure that there is only one, whatever happens to the answer.
struct RunPodPurchase {
    let client: RunPodClient
    let launch: String
    /// Time for a pod whose create got no answer to appear in the list.
    var timeout: Duration = .seconds(20)

    /// Throws `OfferGone` if the offer cannot be had now.
    func buy(_ creation: PodCreation, _ offer: Offer) async throws -> RentedPod {
        // Another machine may have started the same launch.
        if let pod = try await ours(expecting: nil, within: .zero).first { return pod }
        let own = try await ours(expecting: try await create(creation, offer), within: timeout)
        guard let first = own.first else { throw OfferGone("\(offer.text): RunPod failed, and bought nothing") }
        // The older one stays, on every machine that looks. The other one is ended before its agent claims the run.
        for other in own.dropFirst() { try await client.deletePod(other.id) }
        return first
    }

    /// nil if RunPod may have bought although it did not say so.
    private func create(_ creation: PodCreation, _ offer: Offer) async throws -> RentedPod? {
        do {
            guard offer.isSpot, let price = offer.price else { return try await client.createPod(creation) }
            // The list shows the pod.
            _ = try await client.rentSpot(creation, bid: price / Double(creation.gpu.count))
            return nil
        } catch {
            if error.mayHaveWorked { return nil }
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

    /// The pods of this launch, the oldest first.
    private func ours(expecting bought: RentedPod?, within timeout: Duration) async throws -> [RentedPod] {
        let start = ContinuousClock.now
        while true {
            var own = try await client.pods().filter { RunPodName($0.name)?.launch == launch }
            if let bought, !own.contains(where: { $0.id == bought.id }) { own.append(bought) }
            own.sort { ($0.createdAt?.date ?? .distantFuture, $0.id) < ($1.createdAt?.date ?? .distantFuture, $1.id) }
            if !own.isEmpty || start.duration(to: .now) >= timeout { return own }
            try await Task.sleep(for: .seconds(1))
        }
    }
}
