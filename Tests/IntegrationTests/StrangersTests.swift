import Glibc
import Shared
import TestSupport
import Testing

/// Strangers at the API and on the volume: the training's end comes, and is on record.
@Suite(.serialized, .timeLimit(.minutes(2))) struct StrangersTests {
    @Test("SIGTERM reaches the training while strangers hold as many connections as they get")
    func flood() async throws {
        try await Site.with { site in
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    "trap 'echo saving; sleep 0.5; touch \"$SITE/saved\"; exit 0' TERM; echo started; while :; do sleep 0.05; done"
                ))
            // Fewer descriptors than connections.
            let pod = try site.start(
                ["sh", "-c", "ulimit -n 256; exec \"$0\"", Programs.agent], environment: try agent.environment())
            try await eventuallyTrue("the start") { try agent.log.contains("started\n") }
            let address = try File.read(agent.endpoint).text.trimmed
            let strangers = try (0..<300).map { _ in
                try SilentClient(asking: "/v1/log?follow=1", of: address, token: "none")
            }
            let serve = try #require(ProcessStat.all().first { $0.parent == pod.pid }).pid
            let descriptors = try File.list("/proc/\(serve)/fd").count
            #expect(descriptors < 100, "\(descriptors)")
            let start = ContinuousClock.now
            pod.send(SIGTERM)
            _ = try await pod.end()
            #expect(start.duration(to: .now) < .seconds(4.5))
            #expect(site.exists("saved"))
            #expect(try agent.record(1)?.outcome?.kind == .interrupted)
            #expect(try agent.record(1)?.state == .ended)
            withExtendedLifetime(strangers) {}
        }
    }

    @Test("links and pipes in the places of the agent's files hold nothing up and are not written through")
    func oddFiles() async throws {
        try await Site.with { site in
            try File.write(Array("mine".utf8), over: "\(site.root)/victim")
            let agent = try BareAgent(
                at: site,
                command: .shell(
                    """
                    cd ../attempts
                    mkfifo 0001.json.new 0002.claim ../receipts.json; rm 0001.beat; mkfifo 0001.beat
                    ln -s "$SITE/victim" ../run.json.new
                    sleep 6
                    """))
            let pod = try agent.start()
            #expect(try await pod.end(within: .seconds(30)) == 0)
            #expect(try agent.record(1)?.outcome?.kind == .finished)
            #expect(try File.read("\(site.root)/victim").text == "mine")
        }
    }

    @Test("an expression for the step that does not come to an end holds nothing up and is reported")
    func endlessExpression() async throws {
        try await Site.with { site in
            var agent = try BareAgent(
                at: site,
                command: .shell("head -c 3000 /dev/zero | tr '\\0' a; echo '!'; sleep 1.5; echo next; sleep 2"))
            agent.spec.progress = "(?:a+)+b(\\d+)"
            let pod = try agent.start()
            #expect(try await pod.end(within: .seconds(30)) == 0)
            #expect(try agent.record(1)?.outcome?.kind == .finished)
        }
    }
}
