internal import Shared

/// The agent's orders, all of them from the pod's environment variables.
struct AgentEnvironment: Sendable {
    var spec: RunSpec
    var tokenDigest: SHA256Digest
    var pod: String
    /// URLs that get the run's notices. One may hold a token, so it is in no file, and logs show no more of it than its
    /// host.
    var notify: [String] = []
    /// The commit of the packed code; nil if the code is in no repository.
    var commit: CodeCommit?
    /// Masks the values of the spec's secrets.
    var mask: SecretMask
    /// The variables that children inherit: all but the private ones.
    var inherited: [String: String]

    init(_ all: [String: String], on host: Host) throws(Problem) {
        let json = try Self.value("POD_AGENT_SPEC", in: all)
        do {
            spec = try JSON.decode(RunSpec.self, from: json.utf8)
        } catch {
            throw Problem(
                "POD_AGENT_SPEC is not a spec: \(error)", hint: "launch and pod-agent have to be of the same version")
        }
        commit = all["POD_AGENT_COMMIT"].flatMap { CodeCommit($0) }
        inherited = CodeCommit.variables(
            all.filter { name, _ in !host.isPrivate(name) }, commit: commit,
            around: Volume(root: spec.volume).run(spec.run).work)
        guard let digest = SHA256Digest(hexadecimal: try Self.value("POD_AGENT_TOKEN_SHA256", in: all)) else {
            throw Problem("POD_AGENT_TOKEN_SHA256 is not a SHA-256 in hexadecimal")
        }
        tokenDigest = digest
        mask = SecretMask(spec.secrets.compactMap { all[$0] })
        pod = try Self.value(host.podVariable, in: all)
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
