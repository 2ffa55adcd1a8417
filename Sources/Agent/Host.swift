internal import Shared

/// The pod as its agent sees it: everything that differs between providers.
struct Host: Sendable {
    /// IP address of the API.
    var address: String
    /// Port of the API; 0: any free one.
    var port: Int
    /// The file that gets the API's URL if the port is any free one; nil: no file.
    var endpointFile: String?
    /// The ways to stop or delete this pod from inside, in the order in which they are tried.
    var stopRoutes: [any StopRoute]
    /// Variables that the agent passes to no child, besides its own `POD_AGENT_…`: keys that can stop or buy pods.
    var privateVariables: Set<String>

    func isPrivate(_ variable: String) -> Bool {
        PrivateVariables.contains(variable, keys: privateVariables)
    }
}

extension Host {
    /// The part of a spec that names the provider. An agent that cannot read the rest can still stop its pod.
    private struct Outline: Decodable {
        var provider: ProviderName
    }

    /// The host that the pod's `variables` describe: `local` if the spec names no provider that this agent knows.
    init(_ variables: [String: String]) throws(Problem) {
        let spec = variables["POD_AGENT_SPEC"].flatMap { try? JSON.decode(Outline.self, from: $0.utf8) }
        switch spec?.provider {
        case nil, .local: self = .local(variables)
        case .runpod: throw Problem("provider \"runpod\" is not supported by this pod-agent yet")
        }
    }

    /// A process tree of a machine. It shares the machine's loopback interface with other pods, so it takes any free
    /// port.
    private static func local(_ variables: [String: String]) -> Host {
        Host(
            address: "127.0.0.1", port: 0, endpointFile: variables["POD_AGENT_ENDPOINT_FILE"],
            stopRoutes: [LocalStopRoute()], privateVariables: PrivateVariables.keys)
    }
}
