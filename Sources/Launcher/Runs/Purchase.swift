internal import Shared

/// Gets a pod from a provider: tries one offer after the other.
struct Purchase {
    let order: PodOrder
    let provider: any Provider
    let console: Console

    /// Throws a failure that names everything that was tried.
    func make() async throws -> Pod {
        var tried: [String] = []
        for offer in try await provider.offers(for: order) {
            do {
                return try await provider.create(order, at: offer)
            } catch let gone as OfferGone {
                tried.append("\(gone)")
                console.note("launch: \(gone)")
            }
        }
        throw Failure(
            .noCapacity, "provider \"\(provider.name.rawValue)\" has no pod for this config now",
            hint: tried.isEmpty
                ? "look at \"resources\": its limits leave no offer" : "tried: \(tried.joined(separator: "; "))")
    }
}
