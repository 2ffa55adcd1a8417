import Glibc
import Shared
import TestSupport
import Testing

/// A `LAUNCH_HOME` with the record of one pod, for an agent that the test starts itself.
///
/// Like a container that is started again, the pod outlives its agent: it counts as running while `holder` runs.
struct FollowerHome {
    let path: String
    private let pod: String
    let token: String

    /// `pod` of nil is the agent's own. With another id `launch` sees a run that one pod owns and this pod is about to
    /// begin, so it asks the agent for every byte and reads none from the volume.
    init(_ path: String, of agent: BareAgent, pod: String? = nil, holder: Int32 = getpid(), key: [UInt8]) throws {
        self.path = path
        self.pod = pod ?? agent.pod
        token = SHA256Digest(authenticating: agent.spec.launch.id.utf8, key: key).description
        try File.makeFolders("\(path)/pods/\(self.pod)")
        try File.write(key, over: "\(path)/key")
        chmod("\(path)/key", 0o600)
        let process = try #require(ProcessIdentity(pid: holder))
        let record = """
            {"id": "\(self.pod)", "run": "\(agent.spec.run)", "launch": "\(agent.spec.launch.id)", "volume": "\(agent.spec.volume)",
            "created": "2026-11-21T10:00:00Z", "process": \(try JSON.encode(process).text)}
            """
        try File.write(Array(record.utf8), over: "\(path)/pods/\(self.pod)/pod.json")
    }

    /// The variables with which an agent accepts this home's token.
    var environment: [String: String] { ["POD_AGENT_TOKEN_SHA256": SHA256Digest(of: token).description] }

    /// Makes `address` the agent's address in this home.
    func leads(to address: String) throws {
        try File.replace("\(path)/pods/\(pod)/endpoint", with: Array(address.utf8))
    }
}
