internal import RunPod
internal import Shared

/// Keeps the values of an order's secrets in the account, so that the pod's listing does not show them.
struct RunPodSecrets {
    let client: RunPodClient
    /// Takes a sentence for the user.
    let warn: @Sendable (String) -> Void

    /// The variables for the pod. Values of this machine become secrets of the account, one set for each launch. A key
    /// without that right has them plainly in the pod's variables.
    func keep(_ order: PodOrder) async throws -> [String: String] {
        var variables: [String: String] = [:]
        var isRefused = false
        for (name, source) in order.secrets.sorted(by: { $0.key < $1.key }) {
            switch source {
            case .runpod(let secret): variables[name] = AccountSecret.placeholder(secret)
            case .value(let value) where isRefused: variables[name] = value
            case .value(let value):
                let secret = Self.name(of: name, order)
                isRefused = try await !keep(value, as: secret)
                variables[name] = isRefused ? value : AccountSecret.placeholder(secret)
            }
        }
        return variables
    }

    /// Returns false if the key may not keep secrets.
    private func keep(_ value: String, as secret: String) async throws -> Bool {
        do {
            _ = try await client.createSecret(name: secret, value: value)
            return true
        } catch {
            guard error.kind == .forbidden else { throw error }
            warn("this key may not keep secrets: everyone with a key of the account can read those of this run")
            return false
        }
    }

    /// The variables without any value, for a person.
    static func shown(_ order: PodOrder) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: order.secrets.map { name, source in
                switch source {
                case .runpod(let secret): (name, AccountSecret.placeholder(secret))
                case .value: (name, AccountSecret.placeholder(Self.name(of: name, order)))
                }
            })
    }

    /// Deletes the secrets of a run that has ended.
    func delete(of run: RunID) async throws {
        for secret in try await client.secrets() where secret.name.hasPrefix("launch_\(run)_") {
            try await client.deleteSecret(secret.id)
        }
    }

    /// A run's name has no underscore. The account's names may have a hyphen.
    private static func name(of variable: String, _ order: PodOrder) -> String {
        "launch_\(order.spec.run)_\(order.spec.launch.id)_\(variable)"
    }
}
