import Glibc
import Shared
import TestSupport
import Testing

/// A `LAUNCH_HOME` that knows of one pod, as `launch` would have made it for an agent that the test starts itself.
///
/// The pod counts as running for as long as `holder` does, whatever becomes of its agent: a container that is started again.
struct FollowerHome {
    let path: String
    private let pod: String
    let token: String

    /// `pod` is where it is not the agent's own: of a run that another pod owns `launch` thinks that it is about to begin, for as long as
    /// this one runs, so it asks the agent for every byte and takes none from the volume.
    init(_ path: String, of agent: BareAgent, pod: String? = nil, holder: Int32 = getpid(), key: [UInt8]) throws {
        self.path = path
        self.pod = pod ?? agent.pod
        token = SHA256Digest(authenticating: agent.spec.launch.id.utf8, key: key).description
        try File.makeFolders("\(path)/pods/\(self.pod)")
        try File.write(key, over: "\(path)/key")
        let process = try #require(ProcessIdentity(pid: holder))
        let record = """
            {"id": "\(self.pod)", "run": "\(agent.spec.run)", "launch": "\(agent.spec.launch.id)", "volume": "\(agent.spec.volume)",
            "created": "2026-11-21T10:00:00Z", "process": \(try JSON.encode(process).text)}
            """
        try File.write(Array(record.utf8), over: "\(path)/pods/\(self.pod)/pod.json")
    }

    /// What an agent needs to know of it.
    var environment: [String: String] { ["POD_AGENT_TOKEN_SHA256": SHA256Digest(of: token).description] }

    /// From now on the agent is found there.
    func leads(to address: String) throws {
        try File.replace("\(path)/pods/\(pod)/endpoint", with: Array(address.utf8))
    }
}
