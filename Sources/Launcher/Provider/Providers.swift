internal import Shared

/// All providers that this machine can use.
struct Providers: Sendable {
    let all: [any Provider]

    /// The market of the provider that rents out machines.
    func market() throws(Failure) -> any Market {
        guard let market = all.lazy.compactMap(\.market).first else {
            throw Failure(.unavailable, "no provider of this machine rents out pods")
        }
        return market
    }

    /// The provider by that name, which a config or a pod gives.
    func named(_ name: ProviderName) throws(Failure) -> any Provider {
        if let provider = all.first(where: { $0.name == name }) { return provider }
        if name == .local {
            throw Failure(
                .unavailable, "provider \"local\" needs Linux", hint: "run launch where the training is to run")
        }
        throw Failure(.unavailable, "provider \"\(name.rawValue)\" is not available on this machine")
    }
}
