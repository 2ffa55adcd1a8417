import Glibc
import HTTPClient
import Shared
import TestSupport
import Testing

/// `pod-agent files`: a volume without a run.
@Suite(.serialized, .timeLimit(.minutes(2))) struct VolumeServerTests {
    @Test("the files of a volume are served for reading until SIGTERM") func reading() async throws {
        try await Site.with { site in
            try site.write("volume/runs/a/run.json", "{}")
            let server = try site.start(
                [
                    Programs.agent, "files", "--volume", "\(site.root)/volume", "--endpoint-file",
                    "\(site.root)/endpoint",
                ],
                environment: ["POD_AGENT_TOKEN_SHA256": SHA256Digest(of: "secret").description])
            let address = try await eventually("the endpoint; \(server.errors)") {
                try? File.read("\(site.root)/endpoint").text.trimmed
            }
            let agent = AgentClient(address: address, token: "secret", transport: CurlTransport())
            #expect(try await agent.health().ready)
            #expect(try await agent.entries(of: "runs").map(\.name) == ["a"])
            #expect(try await agent.bytes(of: "runs/a/run.json") == Array("{}".utf8))
            #expect(try await agent.bytes(of: "runs/b") == nil)
            try site.write("source", "x")
            let refusal = try await #require(throws: APIError.self) {
                try await agent.put(file: "\(site.root)/source", to: "data/x")
            }
            #expect(refusal.code == .methodNotAllowed)
            let stranger = AgentClient(address: address, token: "other", transport: CurlTransport())
            let error = try await #require(throws: APIError.self) { try await stranger.entries(of: "") }
            #expect(error.code == .unauthorized)
            server.send(SIGTERM)
            #expect(try await server.end(within: .seconds(5)) == 0)
        }
    }

    @Test("a volume that is none and an address that is none are told") func wrongArguments() async throws {
        try await Site.with { site in
            let token = ["POD_AGENT_TOKEN_SHA256": SHA256Digest(of: "secret").description]
            let none = try site.start([Programs.agent, "files", "--volume", "\(site.root)/none"], environment: token)
            #expect(try await none.end() != 0)
            #expect(none.errors.contains("is not a folder"))
            for address in ["x", "127.0.0.1", "127.0.0.1:70000", "name:80"] {
                let wrong = try site.start(
                    [Programs.agent, "files", "--volume", site.root, "--listen", address], environment: token)
                #expect(try await wrong.end() != 0, "\(address)")
            }
            let open = try site.start([Programs.agent, "files", "--volume", site.root])
            #expect(try await open.end() != 0)
            #expect(open.errors.contains("POD_AGENT_TOKEN_SHA256"))
        }
    }
}
