/// The addresses of RunPod's services. A variable of the environment replaces each of them, for an emulator or a relay.
public struct RunPodAddresses: Sendable, Equatable {
    /// REST v2, without a slash at the end.
    public var rest = "https://api.runpod.io/v2"
    /// GraphQL, with its path.
    public var graphQL = "https://api.runpod.io/graphql"
    /// An HTTP port of a pod. `{pod}` and `{port}` stand for the pod's id and the port's number.
    public var proxy = "https://{pod}-{port}.proxy.runpod.net"

    public static let variables = ["RUNPOD_REST_URL", "RUNPOD_GRAPHQL_URL", "RUNPOD_PROXY_URL"]

    public init() {}

    public init(_ environment: [String: String]) {
        func value(_ index: Int) -> String? {
            environment[Self.variables[index]].flatMap { $0.isEmpty ? nil : Self.withoutSlash($0) }
        }
        rest = value(0) ?? rest
        graphQL = value(1) ?? graphQL
        proxy = value(2) ?? proxy
    }

    /// The URL at which the proxy shows `port` of the pod, without a slash at the end.
    public func url(pod: String, port: Int) -> String {
        proxy.replacing("{pod}", with: pod).replacing("{port}", with: String(port))
    }

    private static func withoutSlash(_ url: String) -> String {
        url.hasSuffix("/") ? String(url.dropLast()) : url
    }
}
