import Glibc
import Shared
import TestSupport
import Testing

/// A proxy in front of the agent answers in the agent's place while the agent is out of its reach.
@Suite(.serialized, .timeLimit(.minutes(3))) struct FailingProxyTests {
    /// Prints numbered lines at speed until the file `end` is there.
    private static let command = CommandForm.exec([
        "python3", "-c",
        """
        import os, sys, time
        number = 0
        while not os.path.exists(os.environ["SITE"] + "/end"):
            for _ in range(100):
                number += 1
                sys.stdout.write(f"line {number} " + "#" * (number % 90) + "\\n")
            sys.stdout.flush()
            time.sleep(0.005)
        """,
    ])

    private static let page = "<html><body><h1>Something went wrong</h1></body></html>"

    private static func reply(_ status: String) -> String {
        """
        HTTP/1.1 \(status)\r\nServer: cloudflare\r\nContent-Type: text/html\r\nContent-Length: \(page.utf8.count)\r
        Connection: close\r\n\r\n\(page)
        """
    }

    @Test("attach and logs -f are byte-exact behind a proxy that answers 502, an HTML page and 524")
    func failures() async throws {
        try await Site.with { site in
            var agent = try BareAgent(at: site, command: Self.command)
            agent.endpoint = "\(site.root)/own-endpoint"
            let home = try FollowerHome(site.home, of: agent, key: [UInt8].random(count: 32))
            let pod = try site.start(
                [Programs.agent], environment: try agent.environment().merging(home.environment) { $1 })
            let address = try await eventually("the endpoint") { try? File.read(agent.endpoint).text.trimmed }
            let proxy = try FailingProxy(
                to: try #require(address.split(separator: ":").last.flatMap { UInt16($0) }))
            try home.leads(to: "http://127.0.0.1:\(proxy.port)")
            try await eventuallyTrue("the claim") { try !agent.folder.claims().isEmpty }

            let attach = try site.launch("attach", "--from-start")
            let logs = try site.launch("logs", "-f")
            try await grow([attach, logs])
            let outages: [(status: String, time: Duration)] = [
                ("502 Bad Gateway", .seconds(Rounds.count(3, full: 30))), ("200 OK", .seconds(1)),
                ("524 A Timeout Occurred", .seconds(1)),
            ]
            for outage in outages {
                let before = proxy.answered
                proxy.answer(Self.reply(outage.status))
                try await Task.sleep(for: outage.time)
                try await eventuallyTrue("requests of both") { proxy.answered >= before + 2 }
                #expect(attach.isRunning && logs.isRunning)
                proxy.answer(nil)
                try await grow([attach, logs])
            }
            try site.open("end")
            try await attach.check()
            try await logs.check()
            try await pod.check()
            let log = try site.log(of: agent.folder)
            #expect(SHA256Digest(of: attach.output) == SHA256Digest(of: log), "\(attach.output.count) of \(log.count)")
            #expect(SHA256Digest(of: logs.output) == SHA256Digest(of: log), "\(logs.output.count) of \(log.count)")
            #expect(!(attach.errors + logs.errors).contains("lost"))
        }
    }

    private func grow(_ followers: [Running]) async throws {
        let before = followers.map(\.output.count)
        try await eventuallyTrue("more output", every: .milliseconds(20)) {
            zip(followers, before).allSatisfy { $0.output.count >= $1 + 100_000 }
        }
    }
}
