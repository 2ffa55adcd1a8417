/// A secret of the account. Its value never comes back; `{{ RUNPOD_SECRET_name }}` in a pod's variable stands for it.
public struct AccountSecret: Sendable, Equatable, Decodable {
    public var id: String
    public var name: String

    /// The value of a pod's variable that RunPod replaces by the secret when the container starts.
    public static func placeholder(_ name: String) -> String { "{{ RUNPOD_SECRET_\(name) }}" }
}
