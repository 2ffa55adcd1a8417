internal import Shared

/// What the pod tells the agent, all of it in environment variables.
struct AgentEnvironment: Sendable {
    var spec: RunSpec
    var tokenDigest: SHA256Digest
    var pod: String
    /// Where the address of the API is written, for a pod that listens on a free port.
    var endpointFile: String?
    /// Whom to tell of the run's end and the like. A URL may hold a token: it is in no file, and no log shows more of it than the host.
    var notify: [String] = []
    /// How this pod stops its own meter.
    var meter: [any StopRoute] = [LocalStopRoute()]
    /// Masks the values of the spec's secrets.
    var mask: SecretMask
    /// Everything, for the children to inherit from.
    var all: [String: String]

    init(_ all: [String: String]) throws(Problem) {
        self.all = all
        let json = try Self.value("POD_AGENT_SPEC", in: all)
        do {
            spec = try JSON.decode(RunSpec.self, from: json.utf8)
        } catch {
            throw Problem(
                "POD_AGENT_SPEC is not a spec: \(error)", hint: "launch and pod-agent have to be of the same version")
        }
        guard spec.provider == .local else {
            throw Problem("provider \"\(spec.provider.rawValue)\" is not supported by this pod-agent yet")
        }
        guard let digest = SHA256Digest(hexadecimal: try Self.value("POD_AGENT_TOKEN_SHA256", in: all)) else {
            throw Problem("POD_AGENT_TOKEN_SHA256 is not a SHA-256 in hexadecimal")
        }
        tokenDigest = digest
        mask = SecretMask(spec.secrets.compactMap { all[$0] })
        pod = try Self.value("POD_AGENT_POD_ID", in: all)
        endpointFile = all["POD_AGENT_ENDPOINT_FILE"]
        if let list = all["POD_AGENT_NOTIFY"] {
            guard let urls = try? JSON.decode([String].self, from: list.utf8) else {
                throw Problem("POD_AGENT_NOTIFY is not a list of URLs in JSON")
            }
            notify = urls
        }
    }

    private static func value(_ name: String, in all: [String: String]) throws(Problem) -> String {
        guard let value = all[name], !value.isEmpty else {
            throw Problem("\(name) is not set", hint: "pod-agent is started by a pod that launch made")
        }
        return value
    }
}
