internal import HTTPClient
internal import RunPod
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
    /// The variable that holds the pod's id.
    var podVariable = "POD_AGENT_POD_ID"
    /// The code comes over the API after the start.
    var receivesCode = false
    /// Time for readers of the API after the end of the run: with the pod they lose their only way to the volume.
    var farewell: Duration = .zero

    func isPrivate(_ variable: String) -> Bool {
        PrivateVariables.contains(variable, keys: privateVariables)
    }
}

extension Host {
    /// The part of a spec that names the provider. An agent that cannot read the rest can still stop its pod.
    private struct Outline: Decodable {
        var provider: ProviderName
        var agentPort: Int?
    }

    /// The host that the pod's `variables` describe: `local` if the spec names no provider that this agent knows.
    init(_ variables: [String: String]) {
        let spec = variables["POD_AGENT_SPEC"].flatMap { try? JSON.decode(Outline.self, from: $0.utf8) }
        switch spec?.provider {
        case nil, .local: self = .local(variables)
        case .runpod: self = .runPod(variables, port: spec?.agentPort ?? 8000)
        }
    }

    /// A process tree of a machine. It shares the machine's loopback interface with other pods, so it takes any free
    /// port.
    private static func local(_ variables: [String: String]) -> Host {
        Host(
            address: "127.0.0.1", port: 0, endpointFile: variables["POD_AGENT_ENDPOINT_FILE"],
            stopRoutes: [LocalStopRoute()], privateVariables: PrivateVariables.keys)
    }

    /// A container of a pod of RunPod, whose proxy reaches every address of it.
    private static func runPod(_ variables: [String: String], port: Int) -> Host {
        Host(
            address: "0.0.0.0", port: port, endpointFile: nil, stopRoutes: runPodRoutes(variables),
            privateVariables: PrivateVariables.keys, podVariable: "RUNPOD_POD_ID", receivesCode: true,
            farewell: .seconds(5))
    }

    /// First those of the pod's own key, then those of the key that the user gave for this purpose.
    private static func runPodRoutes(_ variables: [String: String]) -> [any StopRoute] {
        let pod = variables["RUNPOD_POD_ID"] ?? ""
        let addresses = RunPodAddresses(variables)
        let keys = [("RUNPOD_API_KEY", "the pod's key"), ("POD_AGENT_STOP_KEY", "the stop key")]
        return keys.flatMap { variable, owner -> [any StopRoute] in
            guard let key = variables[variable], !key.isEmpty else { return [] }
            return RunPodStopRoute.Call.allCases.map { call in
                RunPodStopRoute(call: call, pod: pod, owner: owner) {
                    RunPodClient(key: key, addresses: addresses, transport: await CurlTransport.ofTheAgent())
                }
            }
        }
    }
}
