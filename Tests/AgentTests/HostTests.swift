import Shared
import Testing

@testable import Agent

@Suite struct HostTests {
    @Test("a local pod listens on a free port of the loopback interface and ends with its agent")
    func local() throws {
        let host = Host(["POD_AGENT_ENDPOINT_FILE": "/pod/endpoint"])
        #expect(host.address == "127.0.0.1" && host.port == 0 && host.endpointFile == "/pod/endpoint")
        #expect(host.stopRoutes.map(\.name) == [LocalStopRoute().name])
    }

    @Test("a pod of RunPod listens on every address and has six ways to its end")
    func runPod() {
        let host = Host([
            "POD_AGENT_SPEC": #"{"provider":"runpod","agentPort":9000}"#, "RUNPOD_POD_ID": "p", "RUNPOD_API_KEY": "k",
            "POD_AGENT_STOP_KEY": "s",
        ])
        #expect(host.address == "0.0.0.0" && host.port == 9000 && host.podVariable == "RUNPOD_POD_ID")
        #expect(
            host.stopRoutes.map(\.name) == [
                "REST v2 action with the pod's key", "REST v2 DELETE with the pod's key",
                "GraphQL with the pod's key", "REST v2 action with the stop key",
                "REST v2 DELETE with the stop key", "GraphQL with the stop key",
            ])
    }

    @Test("an agent that cannot read its spec still knows how to stop its pod", arguments: ["", "{}", "no JSON"])
    func unreadableSpec(_ spec: String) throws {
        let host = Host(["POD_AGENT_SPEC": spec])
        #expect(!host.stopRoutes.isEmpty)
        #expect(throws: Problem.self) { try AgentEnvironment(["POD_AGENT_SPEC": spec], on: host) }
    }

    @Test("children inherit every variable but the private ones")
    func inherited() throws {
        let host = Host([:])
        let spec = try RunSpec.plain(command: .exec(["t"]))
        let own = [
            "POD_AGENT_SPEC": try JSON.text(spec), "POD_AGENT_POD_ID": "p", "RUNPOD_API_KEY": "k",
            "POD_AGENT_TOKEN_SHA256": SHA256Digest(of: "t").description,
        ]
        let other = ["PATH": "/usr/bin", "RUNPOD_POD_ID": "p", "HF_TOKEN": "the user's own"]
        // And one more, so that git does not find a repository around the volume.
        let ceiling = ["GIT_CEILING_DIRECTORIES": Volume(root: spec.volume).run(spec.run).path]
        #expect(
            try AgentEnvironment(own.merging(other) { $1 }, on: host).inherited == other.merging(ceiling) { $1 })
    }
}
