import HTTPClient
import Shared
import TestSupport
import Testing

/// The root folder holds only /proc, a volume, the agent and a static training: the agent needs nothing else.
@Suite(.timeLimit(.minutes(1)), .enabled(if: Namespaces.areAvailable, Namespaces.reason)) struct EmptyRootTests {
    private static let training = """
        #include <stdio.h>
        #include <unistd.h>
        int main(void) {
            puts("trains");
            fflush(stdout);
            while (access("/workspace/go", F_OK) != 0) usleep(10000);
            return 7;
        }
        """

    @Test("the agent starts, serves its API and trains in a root folder without any other program or library")
    func life() async throws {
        try await Site.with { site in
            let root = "\(site.root)/root"
            for folder in ["proc", "workspace"] { try File.makeFolders("\(root)/\(folder)") }
            try site.copy(Programs.agent, to: "root/pod-agent")
            try site.write("train.c", Self.training)
            try await site.start(["cc", "-static", "-o", "\(root)/train", "\(site.root)/train.c"]).check()

            var agent = try BareAgent(at: site, command: .exec(["/train"]))
            agent.spec.volume = "/workspace"
            var environment = try agent.environment()
            environment["POD_AGENT_ENDPOINT_FILE"] = "/workspace/endpoint"
            let unshare = try site.start(
                try #require(Namespaces.unshare) + ["--root=\(root)", "--mount-proc", "/pod-agent"],
                environment: environment)
            let first = try await agent.first(unshare)
            let live = try await LiveAgent(agent, endpoint: "\(root)/workspace/endpoint")
            try await eventuallyTrue("the line") { try await live.ask("/v1/log").text.hasSuffix("\ntrains\n") }
            let status = try JSON.decode(StatusReport.self, from: try await live.ask("/v1/status").body)
            #expect(status.attempt.state == .training)
            #expect(try await live.ask("GET", "/v1/status", token: nil).status == 401)
            // The check runs inside the root, as a container's health check does.
            let health = Namespaces.enter(first) + ["/pod-agent", "health"]
            try await site.start(health + [live.address]).check()
            let deaf = try site.start(health + ["http://127.0.0.1:1"])
            #expect(try await deaf.end() == 1)
            #expect(!deaf.errors.isEmpty)
            #expect(try File.list(root) == ["pod-agent", "proc", "train", "workspace"])

            try site.open("root/workspace/go")
            #expect(try await unshare.end() == 7)
            let run = Volume(root: "\(root)/workspace").run(agent.spec.run)
            let log = try LogStream(of: run).read(at: 0, limit: 1 << 20).text
            #expect(log.hasSuffix("STARTING FRESH\ntrains\nEXIT_CODE=7\n"))
            #expect(try run.readRecord(1)?.state == .ended)
        }
    }

    /// The agent trusts its built-in authorities and the one in the file that `SSL_CERT_FILE` names.
    @Test("the agent posts a notice over TLS only if it trusts the server's authority", arguments: [true, false])
    func tls(_ isTrusted: Bool) async throws {
        try await Site.with { site in
            let root = "\(site.root)/root"
            for folder in ["proc", "workspace"] { try File.makeFolders("\(root)/\(folder)") }
            try site.copy(Programs.agent, to: "root/pod-agent")
            try site.write("train.c", "int main(void) { return 7; }")
            try await site.start(["cc", "-static", "-o", "\(root)/train", "\(site.root)/train.c"]).check()
            let sink = try await TLSSink(at: site)

            var agent = try BareAgent(at: site, command: .exec(["/train"]))
            agent.spec.volume = "/workspace"
            var environment = try agent.environment()
            environment["POD_AGENT_ENDPOINT_FILE"] = "/workspace/endpoint"
            environment["POD_AGENT_NOTIFY"] = try JSON.text([sink.url + "secret"])
            environment["SSL_CERT_FILE"] = ""
            if isTrusted {
                try File.write(try File.read(sink.certificate), over: "\(root)/authority.pem")
                environment["SSL_CERT_FILE"] = "/authority.pem"
            }
            let unshare = try site.start(
                try #require(Namespaces.unshare) + ["--root=\(root)", "--mount-proc", "/pod-agent"],
                environment: environment)
            #expect(try await unshare.end() == 7)
            if isTrusted {
                #expect(sink.received.count == 1)
                #expect(sink.received.first?.contains(#""exitCode":7"#) == true)
                #expect(unshare.errors == "")
            } else {
                #expect(sink.received == [])
                #expect(
                    unshare.errors.contains(
                        "NOTIFY: could not post \"end\": could not trust \"\(sink.url.dropLast())\""))
                #expect(!unshare.errors.contains("secret"))
            }
            try await sink.end()
        }
    }
}
